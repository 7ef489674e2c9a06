package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// process is a process that asks for spans in files that it shares with others. Each of its
// accesses waits until the test lets it go on.
type process struct {
	store.Store // none of its other methods is called
	files       map[string][]byte
	asked       []frame.Span

	mu     sync.Mutex
	waits  map[string][]chan error // by access
	killed bool
	ended  bool
	err    error
}

var errKilled = errors.New("killed")

// wait waits for the test's word, which may be that the process is killed.
func (p *process) wait(access string) error {
	word := make(chan error)
	p.mu.Lock()
	p.waits[access] = append(p.waits[access], word)
	p.mu.Unlock()
	return <-word
}

func (p *process) List(_ context.Context, folder string) (files, folders []string, err error) {
	err = p.wait("list " + folder)
	for name := range p.files {
		if name, ok := strings.CutPrefix(name, folder+"/"); ok {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files, nil, err
}

func (p *process) Read(_ context.Context, path string, _ int64) ([]byte, error) {
	if err := p.wait("read " + path); err != nil {
		return nil, err
	}
	data, ok := p.files[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

func (p *process) Put(_ context.Context, path string, data []byte) error {
	err := p.wait("put " + path)
	if err == nil {
		p.files[path] = data
	}
	return err
}

func (p *process) Remove(_ context.Context, path string) error {
	err := p.wait("remove " + path)
	if err == nil {
		delete(p.files, path)
	}
	return err
}

func (p *process) request() {
	p.err = (&Ledger{store: p}).Request(context.Background(), p.asked...)
	p.ended = true
}

// goOn gives a word to an access of the process, and waits until no process goes on by itself.
func (p *process) goOn(access string, word error) {
	waits := p.waits[access]
	if p.waits[access] = waits[1:]; len(waits) == 1 {
		delete(p.waits, access)
	}
	waits[0] <- word
	synctest.Wait()
}

// kill ends the process: none of its accesses goes on.
func (p *process) kill() {
	p.killed = true
	for synctest.Wait(); len(p.waits) > 0; {
		p.goOn(slices.Sorted(maps.Keys(p.waits))[0], errKilled)
	}
}

func requestFile(t testing.TB, span frame.Span) []byte {
	data, err := framepb.EncodeJSON(&framepb.Request{
		Series: framepb.SeriesOf(span.Series), First: span.First, Samples: span.Samples,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// onRecord is what files say that was asked for, but for those that are damaged.
func onRecord(files map[string][]byte) []frame.Span {
	var spans []frame.Span
	for path, data := range files {
		request := new(framepb.Request)
		if framepb.DecodeJSON(data, request) == nil && RequestPath(request.Span()) == path {
			spans = append(spans, request.Span())
		}
	}
	return frame.Union(spans)
}

// TestRequestIsNeverLost has processes ask for spans at once, their accesses in any order,
// and kills some of them. What is on record stays so, what was asked for is on record when
// Request returns, and a damaged file stays unless it is written anew.
func TestRequestIsNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type bubbled struct{ *testing.T } // it has no deadline there
		rapid.Check(bubbled{t}, func(rt *rapid.T) { neverLost(t, rt) })
	})
}

func neverLost(t *testing.T, rt *rapid.T) {
	spans := rapid.Custom(func(t *rapid.T) frame.Span {
		return span(rapid.Int64Range(0, 12).Draw(t, "first"), rapid.Int64Range(1, 6).Draw(t, "samples"))
	})
	files := make(map[string][]byte)
	for _, span := range rapid.SliceOfN(spans, 0, 4).Draw(rt, "stored") {
		files[RequestPath(span)] = requestFile(t, span)
		if rapid.IntRange(0, 4).Draw(rt, "damage") == 0 {
			files[RequestPath(span)] = []byte("{")
		}
	}
	isWhole := func(_ string, data []byte) bool { return string(data) != "{" }
	damaged := maps.Clone(files)
	maps.DeleteFunc(damaged, isWhole)
	processes := make([]*process, rapid.IntRange(1, 4).Draw(rt, "processes"))
	for i := range processes {
		processes[i] = &process{
			files: files, asked: rapid.SliceOfN(spans, 1, 2).Draw(rt, "asked"), waits: make(map[string][]chan error),
		}
		go processes[i].request()
		defer processes[i].kill()
	}
	synctest.Wait()
	for before := onRecord(files); ; {
		after := onRecord(files)
		if lost := frame.Minus(before, after); len(lost) > 0 {
			rt.Errorf("lost is %v", lost)
		}
		before = after
		maps.DeleteFunc(damaged, func(path string, _ []byte) bool {
			data, there := files[path]
			if !there {
				rt.Errorf("%s was damaged, and is removed", path)
			}
			return isWhole(path, data)
		})
		var accesses []string
		for i, p := range processes {
			if lost := frame.Minus(frame.Union(p.asked), after); p.ended && !p.killed && (p.err != nil || len(lost) > 0) {
				rt.Errorf("process %d: asked for and not on record is %v, %v", i, lost, p.err)
			}
			for access := range p.waits {
				accesses = append(accesses, fmt.Sprint(i, " ", access))
			}
		}
		if len(accesses) == 0 {
			break
		}
		slices.Sort(accesses)
		next := rapid.SampledFrom(accesses).Draw(rt, "next")
		i, access, _ := strings.Cut(next, " ")
		of, _ := strconv.Atoi(i)
		if rapid.IntRange(0, 9).Draw(rt, "kill") == 0 {
			processes[of].kill()
		} else {
			processes[of].goOn(access, nil)
		}
	}
}

// TestRequestFolds: what touches or overlaps is one file, however it was asked for, and
// costs a list of the series and a file where something is new.
func TestRequestFolds(t *testing.T) {
	type spans = []frame.Span
	for name, test := range map[string]struct {
		before, asked, want spans
		access              string // in the order of the alphabet
	}{
		"new":      {nil, spans{span(5, 10)}, spans{span(5, 10)}, "list put"},
		"apart":    {spans{span(0, 4)}, spans{span(5, 10)}, spans{span(0, 4), span(5, 10)}, "list put"},
		"touches":  {spans{span(0, 5)}, spans{span(5, 10)}, spans{span(0, 15)}, "list put read remove"},
		"before":   {spans{span(5, 10)}, spans{span(0, 5)}, spans{span(0, 15)}, "list put read remove"},
		"the same": {spans{span(5, 10)}, spans{span(5, 10)}, spans{span(5, 10)}, "list read"},
		"within":   {spans{span(5, 10)}, spans{span(6, 2), span(14, 1)}, spans{span(5, 10)}, "list read"},
		"at once": {
			nil,
			spans{span(5, 10), span(40, 2), span(12, 9)},
			spans{span(5, 16), span(40, 2)},
			"list put put",
		},
		"between": {
			spans{span(0, 4), span(8, 4), span(20, 4)},
			spans{span(4, 4)},
			spans{span(0, 12), span(20, 4)},
			"list put read read remove remove",
		},
		"by way of others": { // as processes leave them that write at once
			spans{span(0, 6), span(5, 5), span(20, 4)},
			spans{span(10, 1)},
			spans{span(0, 11), span(20, 4)},
			"list put read read remove remove",
		},
		"what a kill left": {
			spans{span(0, 5), span(0, 15), span(5, 10)},
			spans{span(5, 10)},
			spans{span(0, 15)},
			"list read read read remove remove",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &process{files: make(map[string][]byte), asked: test.asked, waits: make(map[string][]chan error)}
				for _, span := range test.before {
					p.files[RequestPath(span)] = requestFile(t, span)
				}
				want := make(map[string][]byte)
				for _, span := range test.want {
					want[RequestPath(span)] = requestFile(t, span)
				}
				go p.request()
				var did []string
				for synctest.Wait(); len(p.waits) > 0; {
					access := slices.Sorted(maps.Keys(p.waits))[0]
					op, _, _ := strings.Cut(access, " ")
					did = append(did, op)
					p.goOn(access, nil)
				}
				slices.Sort(did)
				if got := strings.Join(did, " "); p.err != nil || got != test.access {
					t.Errorf("Request does %s, want %s, %v", got, test.access, p.err)
				}
				if !maps.EqualFunc(p.files, want, bytes.Equal) {
					t.Errorf("files are %v, want %v", slices.Sorted(maps.Keys(p.files)), slices.Sorted(maps.Keys(want)))
				}
			})
		})
	}
}

// TestRequestLeavesDamaged: a file that does not say what its name says is not folded, nor
// does it count as asked for, until it is mended.
func TestRequestLeavesDamaged(t *testing.T) {
	l := Open(t.TempDir())
	if err := l.Request(t.Context(), span(0, 5), span(10, 5)); err != nil {
		t.Fatal(err)
	}
	for of, data := range map[frame.Span][]byte{span(0, 5): []byte("{"), span(10, 5): requestFile(t, span(100, 7))} {
		if err := os.WriteFile(filepath.Join(l.dir, RequestPath(of)), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var damaged []*DamagedError
	for _, test := range []struct {
		do      func() error
		damaged int
		want    []frame.Span
	}{
		{func() error { return l.Request(t.Context(), span(5, 5)) }, 2, []frame.Span{span(5, 5)}},
		{func() error { return l.Request(t.Context(), span(3, 2)) }, 2, []frame.Span{span(3, 7)}},
		{func() error { return l.MendRequests(t.Context(), damaged...) }, 0, []frame.Span{span(0, 10), span(100, 7)}},
		{func() error { return l.MendRequests(t.Context(), damaged...) }, 0, []frame.Span{span(0, 10), span(100, 7)}},
	} {
		if err := test.do(); err != nil {
			t.Fatal(err)
		}
		got, err := l.Requests(t.Context())
		errs := fault.Split(err)
		for _, err := range errs {
			damaged = append(damaged, err.(*DamagedError))
		}
		if len(errs) != test.damaged || !slices.Equal(got, test.want) {
			t.Errorf("Requests = %v, %v, want %v and %d damaged", got, err, test.want, test.damaged)
		}
	}
}

// beforeRead calls a function before the first file is read.
type beforeRead struct {
	store.Store
	do *sync.Once
	is func()
}

func (s beforeRead) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	s.do.Do(s.is)
	return s.Store.Read(ctx, path, limit)
}

// TestRequestsWhileFolded: what is folded after it was listed is found in the new file.
func TestRequestsWhileFolded(t *testing.T) {
	l := Open(t.TempDir())
	if err := l.Request(t.Context(), span(0, 5)); err != nil {
		t.Fatal(err)
	}
	reader := Open(l.dir)
	reader.store = beforeRead{l.store, new(sync.Once), func() {
		if err := l.Request(t.Context(), span(5, 5)); err != nil {
			t.Error(err)
		}
	}}
	if got, err := reader.Requests(t.Context()); err != nil || !slices.Equal(got, []frame.Span{span(0, 10)}) {
		t.Errorf("Requests = %v, %v", got, err)
	}
}
