package kvstest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ParseConfig reads a configuration file. Its keys are the fields of [Config],
// [Stream], [Range], [Late], [Quota], [Latency] and [Fault] in snake_case; an empty
// file gives the defaults. Unknown keys and wrong values are errors that name
// the line, all of them at once; the returned Config is valid.
func ParseConfig(text []byte) (Config, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Config{}, fmt.Errorf("kvstest: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var c Config
	p := parser{lines: map[string]int{}}
	if len(doc.Content) > 0 {
		p.value(doc.Content[0], reflect.ValueOf(&c).Elem(), "")
	}
	if len(p.errs) == 0 {
		for _, wrong := range c.complaints() {
			p.fail(p.line(wrong.path), wrong.path, wrong.problem)
		}
	}
	if len(p.errs) > 0 {
		return Config{}, errors.Join(p.errs...)
	}
	return c, nil
}

// parser fills a Config from YAML nodes. yaml's own decoder could, but it
// neither suggests keys nor remembers the lines that Validate's complaints
// are about.
type parser struct {
	lines map[string]int // path of a field: its line
	errs  []error
}

func (p *parser) fail(line int, path, problem string) {
	if path != "" {
		problem = path + ": " + problem
	}
	p.errs = append(p.errs, fmt.Errorf("kvstest: line %d: %s", line, problem))
}

// line is where the field at path stands or, when the file leaves it out, what
// it belongs to.
func (p *parser) line(path string) int {
	for path != "" {
		if n, ok := p.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

func (p *parser) value(n *yaml.Node, to reflect.Value, path string) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	p.lines[path] = n.Line
	if n.Tag == "!!null" {
		return
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
	}
	switch {
	case to.Type() == reflect.TypeFor[time.Time]():
		p.scalar(n, to, path)
	case to.Kind() == reflect.Struct:
		p.mapping(n, to, path)
	case to.Kind() == reflect.Slice:
		p.sequence(n, to, path)
	default:
		p.scalar(n, to, path)
	}
}

func (p *parser) mapping(n *yaml.Node, to reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		p.fail(n.Line, path, "must be a mapping of keys to values")
		return
	}
	fields := map[string]int{}
	for i := range to.NumField() {
		if key := to.Type().Field(i).Tag.Get("yaml"); key != "-" {
			fields[key] = i
		}
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		where := strings.TrimPrefix(path+"."+key.Value, ".")
		index, known := fields[key.Value]
		switch {
		case !known:
			p.fail(key.Line, where, "unknown key"+suggestion(key.Value, sortedKeys(fields)))
		case seen[key.Value]:
			p.fail(key.Line, where, "given twice")
		default:
			p.value(n.Content[i+1], to.Field(index), where)
		}
		seen[key.Value] = true
	}
}

func (p *parser) sequence(n *yaml.Node, to reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		p.fail(n.Line, path, "must be a list")
		return
	}
	list := reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		p.value(item, list.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	to.Set(list)
}

// nonzero lists the fields whose zero means "the default" in Go: a file that
// says 0 means 0, which none of them allows.
var nonzero = []string{"page_size", "endpoint_token_ttl", "seed", "width", "height", "frame_rate", "fragment"}

func (p *parser) scalar(n *yaml.Node, to reflect.Value, path string) {
	whole := to.Kind() == reflect.Int || to.Kind() == reflect.Int64
	cut := whole && n.Tag == "!!float" // yaml would drop the fraction
	if err := n.Decode(to.Addr().Interface()); err != nil || cut {
		value := quote(n.Value)
		if to.Kind() == reflect.Map { // it may be a secret
			value = "this"
		}
		p.fail(n.Line, path, value+" is not "+kindName(to))
		return
	}
	if to.IsZero() && slices.Contains(nonzero, path[strings.LastIndexByte(path, '.')+1:]) {
		p.fail(n.Line, path, "is 0: leave it out for the default")
	}
}

func kindName(v reflect.Value) string {
	switch v.Interface().(type) {
	case time.Time:
		return "a time such as 2026-01-01T00:00:00Z"
	case time.Duration:
		return "a duration such as 45m or 500ms"
	case bool:
		return "true or false"
	case int, int64:
		return "a whole number"
	case float64:
		return "a number"
	case map[string]string:
		return "a mapping of texts to texts"
	}
	return "a text"
}

// suggestion names the known key that is nearest to the unknown one, if any is
// near, and all of them otherwise.
func suggestion(key string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(strings.ToLower(key), k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; known are " + strings.Join(known, ", ")
}

// distance is the Levenshtein distance, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
