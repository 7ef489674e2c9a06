package kvstest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// fragment is one of ListFragments' Fragments.
type fragment struct {
	FragmentNumber               string
	FragmentSizeInBytes          int64
	ProducerTimestamp            float64
	ServerTimestamp              float64
	FragmentLengthInMilliseconds int64
}

// bytesPerSecond is how large fragments say they are.
const bytesPerSecond = 250_000

const defaultFragments = 100

// serveFragments answers a call on the data endpoint of a token.
func (s *Server) serveFragments(c *call, token string) {
	g, alive := s.endpoints.read(token, s.cfg.Now())
	c.stream = g.stream
	s.stats.count(c.stream, func(t *tally) { t.ListFragmentsCalls++ })
	err := s.authenticate(c)
	if err == nil && (!alive || g.api != "LIST_FRAGMENTS") {
		err = refuse("NotAuthorizedException", "The data endpoint is not valid or its token has expired.")
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	answer, err := s.listFragments(c, g)
	if err != nil {
		s.refuse(c, err)
		return
	}
	writeJSON(c.w, 200, answer)
}

type fragmentsAnswer struct {
	Fragments []fragment
	NextToken string `json:",omitempty"`
}

func (s *Server) listFragments(c *call, g grant) (answer fragmentsAnswer, err *apiError) {
	in := readInput(c.body)
	name, arn := in.streamRef()
	limit := in.number("MaxResults", 1, 1000)
	token := in.str("NextToken", 1, 4096, pageTokenPattern)
	choice := readFragmentSelector(in)
	if token == "" {
		in.require("FragmentSelector")
	}
	if err := in.err(); err != nil {
		return answer, err
	}
	if limit == 0 {
		limit = defaultFragments
	}
	st := s.find(name, arn)
	switch {
	case st == nil:
		return answer, refuse("ResourceNotFoundException", "The requested stream is not found or not active.")
	case st.Name != g.stream:
		return answer, refuse("NotAuthorizedException", "The data endpoint is another stream's.")
	case st.ListFragmentsDenied:
		return answer, refuse("AccessDeniedException", "User: arn:aws:iam::%s:user/test is not authorized to perform: "+
			"kinesisvideo:ListFragments on resource: %s", s.cfg.Account, st.arn)
	case st.forbids(s.cfg.Now()) != nil:
		return answer, st.forbids(s.cfg.Now())
	case *st.Retention == 0:
		return answer, refuse("NoDataRetentionException", "The stream does not retain data.")
	}
	at := place{selection: choice, asOf: s.cfg.Now().UnixMilli()}
	if token != "" {
		if at, err = s.readFragmentsToken(st, token); err != nil {
			return answer, err
		}
		if in.has("FragmentSelector") && at.selection != choice {
			return answer, invalid("NextToken belongs to a request with other parameters.")
		}
	}
	if err := s.refuseBeforeRetention(st, at.start); err != nil {
		return answer, err
	}
	if !st.media.take(time.Now(), 0, float64(limit)) {
		return answer, refuse("ClientLimitExceededException", "Rate exceeded.")
	}
	return s.fragmentsPage(st, at, limit), nil
}

// selection is which fragments are asked for: those that begin from start to end, in epoch
// milliseconds.
type selection struct {
	start, end int64
	byServer   bool
}

func readFragmentSelector(in *input) selection {
	selector := in.object("FragmentSelector")
	if selector == nil {
		return selection{}
	}
	inner := &input{members: selector}
	inner.require("FragmentSelectorType", "TimestampRange")
	kind := inner.enum("FragmentSelectorType", "PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP")
	times := &input{members: inner.object("TimestampRange")}
	times.require("StartTimestamp", "EndTimestamp")
	r := selection{times.millis("StartTimestamp"), times.millis("EndTimestamp"), kind == "SERVER_TIMESTAMP"}
	if r.start > r.end {
		times.fail(invalid("StartTimestamp must not be after EndTimestamp."))
	}
	for _, part := range []*input{inner, times} {
		if part.typeErr != nil {
			in.typeErr = part.typeErr
		}
		if part.valErr != nil {
			in.fail(part.valErr)
		}
	}
	return r
}

// place is where a page begins in the answer to a selection, which is what the archive
// had when its first page was asked for.
type place struct {
	selection
	asOf int64 // epoch milliseconds
	next int64 // fragments on the pages before
}

// fragmentsPage lists fragments in an order that has nothing to do with their times.
func (s *Server) fragmentsPage(st *stream, at place, limit int64) fragmentsAnswer {
	answer := fragmentsAnswer{Fragments: []fragment{}}
	runs, total := st.footage.fragments(at.start, at.end, time.UnixMilli(at.asOf))
	for ; at.next < total && int64(len(answer.Fragments)) < limit; at.next++ {
		k := shuffled(at.next, total)
		for _, run := range runs {
			if k < run.n {
				answer.Fragments = append(answer.Fragments, st.footage.fragmentAt(run, k))
				break
			}
			k -= run.n
		}
	}
	if at.next < total {
		answer.NextToken = s.fragmentsToken(st, at)
	}
	return answer
}

// shuffled is a permutation of the numbers under n.
func shuffled(k, n int64) int64 {
	step := int64(7919) // a prime
	if n%step == 0 {
		step = 1
	}
	return (k%n*step + n/3) % n
}

// fragmentRun is consecutive fragments of a stretch.
type fragmentRun struct {
	recording
	first, n int64
}

// fragments returns those that begin from start to end and are in the archive at a time, and
// how many they are.
func (f footage) fragments(start, end int64, now time.Time) (runs []fragmentRun, total int64) {
	for _, s := range f.stretches {
		if end < s.from {
			break
		}
		oldest := start
		if edge := now.UnixMilli() - f.retention; !s.late || s.at < edge {
			oldest = max(oldest, edge)
		}
		first := max(0, (oldest-s.from+f.fragment-1)/f.fragment)
		last := min(end-s.from, s.to-s.from-1) / f.fragment
		for first <= last && !f.kept(s, s.from+last*f.fragment, now) {
			last--
		}
		if first <= last {
			runs = append(runs, fragmentRun{s, first, last - first + 1})
			total += last - first + 1
		}
	}
	return runs, total
}

// fragmentAt returns fragment k of a run. Numbers grow as fragments get into the archive.
func (f footage) fragmentAt(run fragmentRun, k int64) fragment {
	from := run.from + (run.first+k)*f.fragment
	to := min(from+f.fragment, run.to)
	archived := to
	if run.late {
		archived = max(run.at, to)
	}
	seconds := func(ms int64) float64 { return float64(ms) / 1000 }
	return fragment{
		FragmentNumber:      fmt.Sprintf("91343852333%016d%016d", archived, from),
		FragmentSizeInBytes: (to - from) * bytesPerSecond / 1000,
		ProducerTimestamp:   seconds(from), ServerTimestamp: seconds(from), FragmentLengthInMilliseconds: to - from,
	}
}

func (s *Server) fragmentsToken(st *stream, at place) string {
	var plain []byte
	byServer := int64(0)
	if at.byServer {
		byServer = 1
	}
	for _, n := range []int64{at.next, at.asOf, at.start, at.end, byServer} {
		plain = binary.BigEndian.AppendUint64(plain, uint64(n))
	}
	return base64.StdEncoding.EncodeToString(s.seal.seal(fragmentsToken, append(plain, st.Name...)))
}

func (s *Server) readFragmentsToken(st *stream, token string) (at place, err *apiError) {
	sealed, decodeErr := base64.StdEncoding.Strict().DecodeString(token)
	if decodeErr != nil || strings.ContainsAny(token, "\r\n") {
		return at, invalid("NextToken is not valid.")
	}
	plain, openErr := s.seal.open(fragmentsToken, sealed)
	if openErr != nil || string(plain[40:]) != st.Name {
		return at, invalid("NextToken is not valid.")
	}
	n := func(i int) int64 { return int64(binary.BigEndian.Uint64(plain[8*i:])) }
	at = place{selection{n(2), n(3), n(4) == 1}, n(1), n(0)}
	if s.cfg.Now().UnixMilli()-at.asOf >= pageTokenTTL.Milliseconds() {
		return at, invalid("NextToken has expired.")
	}
	return at, nil
}
