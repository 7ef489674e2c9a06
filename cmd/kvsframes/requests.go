package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

const requestsExample = `a list such as
  - stream_name: front-door
    start_timestamp: 2026-01-01T00:00:00Z
    end_timestamp: 2026-01-01T02:00:00Z
    sampling_interval: 3s`

// parseRequests reads a requests file: a YAML (or JSON) list of requests, whose
// keys are the API's fields in snake_case or as the API spells them. What an
// entry leaves out it takes from defaults. Every fault names the file and the
// line, and all of them are reported at once.
func parseRequests(file string, text []byte, defaults *draft) ([]*draft, []error) {
	list, err := requestList(file, text)
	if err != nil {
		return nil, []error{err}
	}
	var drafts []*draft
	var errs []error
	for _, node := range list.Content {
		node = resolve(node)
		at := fmt.Sprintf("%s:%d", file, node.Line)
		if node.Kind != yaml.MappingNode {
			errs = append(errs, fmt.Errorf("%s: a request is a mapping of fields to values; the file must hold %s", at,
				requestsExample))
			continue
		}
		d := defaults.entry(at)
		d.fill(file, node)
		drafts = append(drafts, d)
	}
	return drafts, errs
}

// requestList returns the one list that the file holds.
func requestList(file string, text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty: it must hold %s", file, requestsExample)
	}
	if err != nil {
		return nil, syntaxError(file, err)
	}
	root := resolve(doc.Content[0])
	switch {
	case root.Kind == yaml.MappingNode && len(root.Content) > 0:
		return nil, fmt.Errorf("%s:%d: this is one request, not a list: put \"- \" before its first line and indent the "+
			"others, for %s", file, root.Line, requestsExample)
	case root.Kind == yaml.ScalarNode && root.Tag != "!!null":
		return nil, fmt.Errorf("%s:%d: the file must hold %s", file, root.Line, requestsExample)
	case len(root.Content) == 0:
		return nil, fmt.Errorf("%s is empty: it must hold %s", file, requestsExample)
	}
	if err := decoder.Decode(&more); err == nil {
		return nil, fmt.Errorf("%s:%d: a second document begins here: put all requests in one list", file, more.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(file, err)
	}
	return root, nil
}

func (d *draft) fill(file string, mapping *yaml.Node) {
	seen := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], resolve(mapping.Content[i+1])
		at := fmt.Sprintf("%s:%d: ", file, key.Line)
		f, ok := findField(key.Value)
		switch {
		case !ok:
			d.faults = append(d.faults, errors.New(at+unknownKey(key.Value)))
		case seen[f.api] != 0:
			d.faults = append(d.faults, fmt.Errorf("%s%s is given twice, first in line %d", at, key.Value, seen[f.api]))
		default:
			seen[f.api] = key.Line
			if text, err := scalar(value); err != nil {
				d.fail(f, fmt.Errorf("%s%s %w", at, key.Value, err))
			} else {
				d.set(f, at+key.Value, text)
			}
		}
	}
}

func findField(key string) (field, bool) {
	for _, f := range fields {
		if key == f.key || key == f.api {
			return f, true
		}
	}
	return field{}, false
}

func unknownKey(key string) string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	if s := suggest(key, keys); s != "" {
		return fmt.Sprintf("unknown key %q: did you mean %s?", key, s)
	}
	return fmt.Sprintf("unknown key %q: a request has %s", key, strings.Join(keys, ", "))
}

// scalar returns a value as text, exactly as it stands in the file: a number
// that went through a float64 would lose what makes it exact. The mapping of
// format_config becomes the text that its flag takes.
func scalar(value *yaml.Node) (string, error) {
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag != "!!null":
		return value.Value, nil
	case value.Kind == yaml.ScalarNode:
		return "", errors.New("has no value: give it one, or leave it out")
	case value.Kind == yaml.MappingNode:
		entries := make([]string, 0, len(value.Content)/2)
		for i := 0; i+1 < len(value.Content); i += 2 {
			entries = append(entries, value.Content[i].Value+"="+resolve(value.Content[i+1]).Value)
		}
		return strings.Join(entries, ","), nil
	}
	return "", errors.New("is a list: it must be a single value")
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxError gives an error of the YAML parser the form of the others.
func syntaxError(file string, err error) error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%s: %s", file, text)
	}
	text = strings.TrimPrefix(text, m[0])
	if m[1] != "" {
		file += ":" + m[1]
	}
	return fmt.Errorf("%s: %s (the file must be YAML or JSON)", file, text)
}
