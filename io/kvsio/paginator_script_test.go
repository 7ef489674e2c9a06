package kvsio_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// script is what a service answers, page by page, whatever it is asked for.
type script []struct {
	images int
	next   int // the page that NextToken names; 0: none
}

var (
	three    = script{{5, 2}, {5, 3}, {2, 0}}
	loop     = script{{2, 2}, {2, 2}}
	pingpong = script{{1, 2}, {1, 3}, {1, 2}}
	hollow   = script{{0, 2}, {3, 3}, {0, 0}}
)

func tokenOf(page int) string {
	return base64.StdEncoding.EncodeToString(fmt.Append(nil, "token-", page))
}

// serve plays the script. Images are numbered by their TimeStamp. pages is
// called with the number of each page that is asked for, from 1 on.
func (s script) serve(t *testing.T, pages func(int)) kvsio.ReadParams {
	var url string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/getDataEndpoint" {
			io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, `{"DataEndpoint":%q}`, url)
			return
		}
		var in struct{ NextToken string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		first := 0
		for i, page := range s {
			if i == 0 && in.NextToken == "" || i > 0 && in.NextToken == tokenOf(i+1) {
				pages(i + 1)
				json.NewEncoder(w).Encode(s.answer(i, first))
				return
			}
			first += page.images
		}
		t.Errorf("a page that does not exist is asked for: %q", in.NextToken)
	}))
	t.Cleanup(server.Close)
	url = server.URL
	return kvsio.ReadParams{
		AWS:        kvsio.AWSParams{EndpointURL: url},
		CallParams: kvsio.CallParams{StreamQuota: kvsio.UnknownQuota},
	}
}

func (s script) answer(page, first int) any {
	images := []any{}
	for k := range s[page].images {
		images = append(images, map[string]any{"TimeStamp": first + k + 1, "ImageContent": "AAEC"})
	}
	if s[page].next == 0 {
		return map[string]any{"Images": images}
	}
	return map[string]any{"Images": images, "NextToken": tokenOf(s[page].next)}
}

// What botocore 1.44.5 made of the same pages: images, calls and tokens.
func TestPaginatorDoesAsBotocore(t *testing.T) {
	for _, c := range []struct {
		script   script
		config   kvsio.PaginationConfig
		images   string // page by page
		calls    string // by the page that was asked for
		resume   string
		repeated bool
	}{
		{three, kvsio.PaginationConfig{}, "[[0 1 2 3 4] [5 6 7 8 9] [10 11]]", "[1 2 3]", "", false},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(3)},
			"[[0 1 2]]", "[1]",
			"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAzfQ==", false,
		},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(5)},
			"[[0 1 2 3 4]]", "[1]", "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=",
			false,
		},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(7)},
			"[[0 1 2 3 4] [5 6]]", "[1 2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0=", false,
		},
		{three, kvsio.PaginationConfig{MaxItems: new(12)}, "[[0 1 2 3 4] [5 6 7 8 9] [10 11]]", "[1 2 3]", "", false},
		{three, kvsio.PaginationConfig{MaxItems: new(20)}, "[[0 1 2 3 4] [5 6 7 8 9] [10 11]]", "[1 2 3]", "", false},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(0)},
			"[[]]", "[1]",
			"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAwfQ==", false,
		},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(1),
				StartingToken: "eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAzfQ==",
			},
			"[[3]]", "[1]",
			"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiA0fQ==", false,
		},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(2),
				StartingToken: "eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAzfQ==",
			},
			"[[3 4]]", "[1]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=", false,
		},
		{three, kvsio.PaginationConfig{StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0="}, "[[7 8 9] [10 11]]", "[2 3]", "", false},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(2),
				StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0=",
			},
			"[[7 8]]", "[2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogNH0=", false,
		},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(4),
				StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0=",
			},
			"[[7 8 9] [10]]",
			"[2 3]", "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNdz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMX0=", false,
		},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(0),
				StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0=",
			},
			"[[]]", "[2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0=", false,
		},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(1),
				StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogOX0=",
			},
			"[[] [10]]", "[2 3]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNdz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMX0=", false,
		},
		{
			three,
			kvsio.PaginationConfig{
				MaxItems:      new(0),
				StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogOX0=",
			},
			"[[]]", "[2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNdz09In0=", false,
		},
		{three, kvsio.PaginationConfig{StartingToken: "dG9rZW4tMg=="}, "[[5 6 7 8 9] [10 11]]", "[2 3]", "", false},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(1), StartingToken: "dG9rZW4tMg=="},
			"[[5]]", "[2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMX0=", false,
		},
		{
			three,
			kvsio.PaginationConfig{StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNdz09In0="},
			"[[10 11]]", "[3]", "",
			false,
		},
		{three, kvsio.PaginationConfig{StartingToken: "dG9rZW4tMw==___1"}, "[[11]]", "[3]", "", false},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(1), StartingToken: "None___2"},
			"[[2]]", "[1]",
			"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAzfQ==", false,
		},
		{
			three,
			kvsio.PaginationConfig{MaxItems: new(2), StartingToken: "None"},
			"[[0 1]]", "[1]",
			"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAyfQ==", false,
		},
		{
			three,
			kvsio.PaginationConfig{StartingToken: "eyJib3RvX3RydW5jYXRlX2Ftb3VudCI6IDR9"},
			"[[4] [5 6 7 8 9] [10 11]]",
			"[1 2 3]", "", false,
		},
		{three, kvsio.PaginationConfig{StartingToken: "e30="}, "[[0 1 2 3 4] [5 6 7 8 9] [10 11]]", "[1 2 3]", "", false},
		{
			three,
			kvsio.PaginationConfig{StartingToken: "eyJOZXh0VG9rZW4iOiAiTm9uZSIsICJib3RvX3RydW5jYXRlX2Ftb3VudCI6IDR9"},
			"[[4] [5 6 7 8 9] [10 11]]", "[1 2 3]", "", false,
		},
		{three, kvsio.PaginationConfig{StartingToken: "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNdz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMX0=\n"}, "[[11]]", "[3]", "", false},
		{loop, kvsio.PaginationConfig{}, "[[0 1] [2 3]]", "[1 2]", "", true},
		{loop, kvsio.PaginationConfig{StartingToken: "dG9rZW4tMg=="}, "[[2 3] [2 3]]", "[2 2]", "", true},
		{
			loop,
			kvsio.PaginationConfig{MaxItems: new(4)},
			"[[0 1] [2 3]]", "[1 2]", "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=",
			false,
		},
		{
			loop,
			kvsio.PaginationConfig{MaxItems: new(3)},
			"[[0 1] [2]]", "[1 2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMX0=", false,
		},
		{hollow, kvsio.PaginationConfig{}, "[[] [0 1 2] []]", "[1 2 3]", "", false},
		{hollow, kvsio.PaginationConfig{MaxItems: new(0)}, "[[]]", "[1]", "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=", false},
		{
			hollow,
			kvsio.PaginationConfig{MaxItems: new(3)},
			"[[] [0 1 2]]", "[1 2]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNdz09In0=", false,
		},
		{
			pingpong,
			kvsio.PaginationConfig{MaxItems: new(5)},
			"[[0] [1] [2] [1] [2]]", "[1 2 3 2 3]",
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=", false,
		},
	} {
		t.Run("", func(t *testing.T) {
			calls := []int{}
			p := c.script.serve(t, func(page int) { calls = append(calls, page) })
			pages, err := kvsio.NewPaginator(t.Context(), pagesOf(p), imagesInput("cam", 300), c.config)
			if err != nil {
				t.Fatal(err)
			}
			images, repeated := [][]int{}, false
			for pages.HasMorePages() && len(images) < 10 {
				page, err := pages.NextPage(t.Context())
				if repeated = errors.Is(err, kvsio.ErrRepeatedToken); repeated {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				numbers := []int{}
				for _, image := range page.Images {
					numbers = append(numbers, int(image.TimeStamp.Unix())-1)
				}
				images = append(images, numbers)
			}
			if fmt.Sprint(images) != c.images || fmt.Sprint(calls) != c.calls || pages.ResumeToken() != c.resume ||
				repeated != c.repeated {
				t.Errorf("images %v, calls %v, resume token %q, repeated %v; want %+v", images, calls, pages.ResumeToken(),
					repeated, c)
			}
		})
	}
}
