package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/fault"
)

// flags names fields as a command does.
func flags(name string) string { return "--" + strings.ToLower(name) }

// TestIn: names are said in other words wherever they are, and values that look like names
// stay what they are.
func TestIn(t *testing.T) {
	const end = fault.Name("End")
	out := fault.New("Out", `"Out is End"`, "a folder")
	alone := fault.New("Start", fault.Errorf("%q without %s", "End", end), fault.Errorf("before %s", end))
	for _, test := range []struct {
		err    error
		is, in string
	}{
		{errors.New("Out is full"), "Out is full", "Out is full"},
		{out, `Out is "Out is End": it must be a folder`, `--out is "Out is End": it must be a folder`},
		{
			alone, `Start is "End" without End: it must be before End`,
			`--start is "End" without --end: it must be before --end`,
		},
		{fault.Of("Out", ": %w", fs.ErrExist), "Out: file already exists", "--out: file already exists"},
		{
			fault.Of("Out", " names %s: choose another %s", "Out", fault.Name("Out")), "Out names Out: choose another Out",
			"--out names Out: choose another --out",
		},
		{
			fmt.Errorf("Out 1: %w", out), `Out 1: Out is "Out is End": it must be a folder`,
			`Out 1: --out is "Out is End": it must be a folder`,
		},
		{
			fault.Errorf("%s: %w; %w", "Out", fmt.Errorf("Out 1: %w", out), fs.ErrExist),
			`Out: Out 1: Out is "Out is End": it must be a folder; file already exists`,
			`Out: Out 1: --out is "Out is End": it must be a folder; file already exists`,
		},
		{
			errors.Join(fmt.Errorf("Out 1: %w", errors.Join(out)), alone), "Out 1: " + out.Error() + "\n" + alone.Error(),
			`Out 1: --out is "Out is End": it must be a folder` + "\n" +
				`--start is "End" without --end: it must be before --end`,
		},
	} {
		if got := test.err.Error(); got != test.is {
			t.Errorf("it reads\n%s, want\n%s", got, test.is)
		}
		if got := fault.In(test.err, flags); got != test.in {
			t.Errorf("in flags it is\n%s, want\n%s", got, test.in)
		}
	}
}

func TestErrorsAreFound(t *testing.T) {
	err := fmt.Errorf("it: %w", fault.Errorf("%w and %w", fs.ErrExist, fault.Of("Out", ": %w", fs.ErrClosed)))
	of, ok := errors.AsType[*fault.Fault](err)
	if !errors.Is(err, fs.ErrExist) || !errors.Is(err, fs.ErrClosed) || !ok || of.Field != "Out" {
		t.Errorf("%v unwraps to %v", err, of)
	}
}

func TestSplit(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	sentence := fmt.Errorf("%w and %w", a, b)
	for _, test := range []struct {
		err  error
		want []error
	}{
		{nil, nil},
		{a, []error{a}},
		{errors.Join(nil, a), []error{a}},
		{errors.Join(a, nil, errors.Join(sentence, c)), []error{a, sentence, c}},
	} {
		if got := fault.Split(test.err); fmt.Sprint(got) != fmt.Sprint(test.want) || len(got) != len(test.want) {
			t.Errorf("%v is %d errors: %v", test.err, len(got), got)
		}
	}
}
