//go:build conformance

package kvstest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// model is botocore's copy of a service's model.
type model struct {
	Operations map[string]struct {
		Input  member
		Errors []member
	}
	Shapes map[string]shape
}

type member struct{ Shape string }

type shape struct {
	Type       string
	Min, Max   *int
	Pattern    string
	Enum       []string
	Required   []string
	Members    map[string]member
	Key, Value member
	Error      struct{ HTTPStatusCode int }
}

func readModel(t *testing.T, service string) model {
	t.Helper()
	pattern := installed(t) + "/python/lib/python3*/site-packages/botocore/data/" + service +
		"/2017-09-30/service-2.json.gz"
	paths, _ := filepath.Glob(pattern)
	if len(paths) != 1 {
		t.Fatalf("%d files %s (.ci/clients installs it)", len(paths), pattern)
	}
	f, err := os.Open(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var m model
	if err := json.NewDecoder(text).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// models are those of the operations that the suite drives.
func models(t *testing.T) map[string]model {
	t.Helper()
	control := readModel(t, "kinesisvideo")
	return map[string]model{
		"DescribeStream": control, "GetDataEndpoint": control, "ListStreams": control,
		"GetImages": readModel(t, "kinesis-video-archived-media"),
	}
}

// documented returns the HTTP statuses of each operation's errors.
func documented(t *testing.T) map[string]map[string]int {
	t.Helper()
	all := map[string]map[string]int{}
	for operation, m := range models(t) {
		all[operation] = map[string]int{}
		for _, e := range m.Operations[operation].Errors {
			all[operation][e.Shape] = m.Shapes[e.Shape].Error.HTTPStatusCode
		}
	}
	return all
}

// Whatever breaks a constraint of the service model is refused, and what goes
// just as far as it allows is not. boto3 is told not to look at it itself.
func TestServiceModel(t *testing.T) {
	l := newLab(t, clients[0], 0)
	arn, endpoint := l.srv.StreamARN("cam"), l.dataEndpoint("cam")
	images := imagesOf("cam", endpoint, map[string]any{
		"FormatConfig": map[string]any{"JPEGQuality": "80"}, "WidthPixels": 160, "HeightPixels": 90, "MaxResults": 1,
	}).Input
	list := map[string]any{
		"StreamNameCondition": map[string]any{"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "cam"}, "MaxResults": 1,
	}
	all := map[string]any{"MaxResults": 1}
	samples := map[string][]map[string]any{
		"DescribeStream":  {named("cam"), {"StreamARN": arn}},
		"GetDataEndpoint": {named("cam", "APIName", "GET_IMAGES"), {"StreamARN": arn, "APIName": "GET_IMAGES"}},
		"ListStreams": {list, changed(all, "NextToken",
			l.must(order{Operation: "ListStreams", Input: all})[0].NextToken)},
		"GetImages": {
			images, changed(images, "StreamARN", arn, "StreamName", nil),
			changed(images, "NextToken", l.must(order{Operation: "GetImages", Input: images, Endpoint: endpoint})[0].NextToken),
		},
	}
	for operation, m := range models(t) {
		t.Run(operation, func(t *testing.T) {
			of := *l
			of.T = t
			o := order{Operation: operation}
			if operation == "GetImages" {
				o.Endpoint = endpoint
			}
			for _, o.Input = range samples[operation] {
				of.must(o)
			}
			b := &breacher{model: m}
			b.structure(t, "", m.Shapes[m.Operations[operation].Input.Shape], samples[operation],
				func(v any) map[string]any { return v.(map[string]any) })
			for _, c := range b.breaches {
				o.Input = c.input
				t.Run(c.name, func(t *testing.T) {
					of.T = t
					of.breach(o, c)
				})
			}
		})
	}
}

// breach makes a call that breaks a constraint, or that just does not.
func (l *lab) breach(o order, c breach) {
	l.Helper()
	if !c.allowed {
		l.refused(o, badArgument)
		if text := string(l.last().answered); !strings.Contains(text, c.member) {
			l.Errorf("the error does not name %s: %s", c.member, text)
		}
		return
	}
	// A name that is as long as may be is nobody's.
	if e := l.program.make(l.T, o).Error; e != nil && e.Code != "ResourceNotFoundException" {
		l.Errorf("refused: %s", l.last())
	}
}

// A breach is an input that breaks one constraint of the model, or, if allowed,
// one that goes just as far as the constraint allows.
type breach struct {
	name    string
	member  string
	input   map[string]any
	allowed bool
}

// narrower are members of which more is asked than their shape says: no value
// at the shape's limits is allowed for that alone.
var narrower = map[string]bool{"NextToken": true, "JPEGQuality": true}

// breacher makes the breaches of one operation.
type breacher struct {
	model    model
	breaches []breach
}

// in puts a value into an input.
type in func(value any) map[string]any

func (b *breacher) add(at, name string, input map[string]any, allowed bool) {
	member := at[strings.LastIndex(at, ".")+1:]
	if !allowed || !narrower[member] {
		b.breaches = append(b.breaches, breach{at + " " + name, member, input, allowed})
	}
}

// structure breaks the constraints of a structure's members, each in the first
// of the samples that has it.
func (b *breacher) structure(t *testing.T, at string, s shape, samples []map[string]any, wrap in) {
	for _, name := range s.Required {
		b.add(at+name, "left out", wrap(changed(samples[0], name, nil)), false)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		i := slices.IndexFunc(samples, func(sample map[string]any) bool { return sample[name] != nil })
		if i < 0 {
			t.Errorf("no sample has %s%s", at, name)
			continue
		}
		b.value(t, at+name, b.model.Shapes[s.Members[name].Shape], samples[i][name], func(v any) map[string]any {
			return wrap(changed(samples[i], name, v))
		})
	}
}

func (b *breacher) value(t *testing.T, at string, s shape, sample any, wrap in) {
	switch s.Type {
	case "string":
		b.text(t, at, s, sample.(string), wrap)
	case "integer", "long":
		if s.Min != nil {
			b.add(at, fmt.Sprint("of ", *s.Min), wrap(*s.Min), true)
			b.add(at, fmt.Sprint("of ", *s.Min-1), wrap(*s.Min-1), false)
		}
		if s.Max != nil {
			b.add(at, fmt.Sprint("of ", *s.Max), wrap(*s.Max), true)
			b.add(at, fmt.Sprint("of ", *s.Max+1), wrap(*s.Max+1), false)
		}
	case "map":
		b.entries(t, at, s, sample.(map[string]any), wrap)
	case "structure":
		b.structure(t, at+".", s, []map[string]any{sample.(map[string]any)}, wrap)
	case "timestamp": // has no constraints
	default:
		t.Errorf("%s is of the type %s, of which the suite knows nothing", at, s.Type)
	}
}

func (b *breacher) text(t *testing.T, at string, s shape, sample string, wrap in) {
	for _, value := range s.Enum {
		b.add(at, value, wrap(value), true)
	}
	if s.Enum != nil {
		b.add(at, "of another value", wrap(sample+"S"), false)
		b.add(at, "in another case", wrap(strings.ToLower(sample)), false)
	}
	sample = strings.TrimRight(sample, "=") // what base64 ends with cannot be repeated
	matches := regexp.MustCompile("^(?:" + s.Pattern + ")$").MatchString
	last := sample[len(sample)-1:]
	long := func(n int) string { return sample[:min(n, len(sample))] + strings.Repeat(last, max(0, n-len(sample))) }
	if s.Max != nil {
		most := long(*s.Max)
		if !matches(most) {
			t.Errorf("%s: the suite makes no text of %d characters for %s", at, *s.Max, s.Pattern)
		}
		b.add(at, fmt.Sprintf("of %d characters", *s.Max), wrap(most), true)
		b.add(at, fmt.Sprintf("of %d characters", *s.Max+1), wrap(long(*s.Max+1)), false)
	}
	if s.Min != nil && *s.Min > 0 {
		b.add(at, fmt.Sprintf("of %d characters", *s.Min-1), wrap(long(*s.Min-1)), false)
	}
	if s.Pattern != "" {
		for where, broken := range map[string]string{
			"begins": "!" + sample, "continues": sample[:1] + "!" + sample[1:], "ends": sample + "!",
			"ends (a new line)": sample + "\n",
		} {
			b.add(at, where+" against the pattern", wrap(broken), false)
		}
	}
}

// entries breaks the constraints of a map and of its one entry.
func (b *breacher) entries(t *testing.T, at string, s shape, sample map[string]any, wrap in) {
	if s.Min != nil {
		b.add(at, "without entries", wrap(map[string]any{}), false)
	}
	for key, value := range sample {
		if s.Max != nil {
			b.add(at, "with one entry more", wrap(map[string]any{key: value, key + "2": value}), false)
		}
		b.text(t, at, b.model.Shapes[s.Key.Shape], key,
			func(v any) map[string]any { return wrap(map[string]any{v.(string): value}) })
		b.value(t, at+"."+key, b.model.Shapes[s.Value.Shape], value,
			func(v any) map[string]any { return wrap(map[string]any{key: v}) })
	}
}
