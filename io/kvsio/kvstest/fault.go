package kvstest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	faultThrottle         = "throttle"
	faultServerError      = "server_error"
	faultReset            = "reset"
	faultStall            = "stall"
	faultTruncatedBody    = "truncated_body"
	faultBadBase64        = "bad_base64"
	faultCorruptImage     = "corrupt_image"
	faultMissingSample    = "missing_sample"
	faultEmptyEntry       = "empty_entry"
	faultExtraSample      = "extra_sample"
	faultShiftedTimestamp = "shifted_timestamp"
	faultFarTimestamp     = "far_timestamp"
	faultEmptyPage        = "empty_page"
	faultRepeatedToken    = "repeated_token"
	faultEndpointExpired  = "endpoint_expired"
	faultOutOfRetention   = "out_of_retention"
)

// FaultKinds returns what a [Fault]'s Kind may be:
//
//   - throttle: ClientLimitExceededException
//   - server_error: 500 InternalFailure or 503 ServiceUnavailableException
//   - reset: the connection is reset before an answer
//   - stall: headers and half the body, then nothing until the client leaves
//   - truncated_body: the whole Content-Length, half the body, and the
//     connection is closed
//   - bad_base64: one image has characters outside base64
//   - corrupt_image: one image is valid base64 of a damaged picture
//   - missing_sample: one entry is left out
//   - empty_entry: one entry has neither image nor error
//   - extra_sample: an entry more, for an instant between those asked for
//   - shifted_timestamp: one TimeStamp is up to 40 % of the interval off
//   - far_timestamp: one TimeStamp is of 1970, or a day off
//   - empty_page: no entries, and a NextToken that goes on where the page would have begun
//   - repeated_token: NextToken is the request's own; only on calls that have one
//   - endpoint_expired: NotAuthorizedException, and the data endpoint is dead
//   - out_of_retention: InvalidArgumentException, as at the edge of retention
func FaultKinds() []string {
	return []string{
		faultThrottle, faultServerError, faultReset, faultStall, faultTruncatedBody, faultBadBase64,
		faultCorruptImage, faultMissingSample, faultEmptyEntry, faultExtraSample, faultShiftedTimestamp,
		faultFarTimestamp, faultEmptyPage, faultRepeatedToken, faultEndpointExpired, faultOutOfRetention,
	}
}

// faults decides which calls go wrong.
type faults struct {
	seed int64
	list []Fault
	mu   sync.Mutex
	seen map[uint64]uint64 // digest of a call: how often it was made
}

func newFaults(seed int64, list []Fault) *faults {
	return &faults{seed: seed, list: list, seen: map[uint64]uint64{}}
}

// dice is a generator that depends on nothing but seed, fault, call and how
// often the call was made.
type dice struct{ *rand.Rand }

// draw returns the fault that the call has at a time, "" for none.
func (f *faults) draw(job *imagesJob, now time.Time) string {
	if len(f.list) == 0 {
		return ""
	}
	h := fnv.New64a()
	h.Write(job.digest[:])
	binary.Write(h, binary.BigEndian, []int64{job.first, job.asked})
	content := h.Sum64()
	f.mu.Lock()
	f.seen[content]++
	times := f.seen[content]
	f.mu.Unlock()
	for i, fault := range f.list {
		if len(fault.Streams) > 0 && !slices.Contains(fault.Streams, job.st.Name) {
			continue
		}
		if fault.Kind == faultRepeatedToken && job.request.token == "" {
			continue
		}
		if len(fault.During) > 0 && !within(fault.During, now) {
			continue
		}
		k := fnv.New64a()
		binary.Write(k, binary.BigEndian, []uint64{uint64(f.seed), content, times, uint64(i)})
		k.Write([]byte(fault.Kind))
		job.dice = dice{rand.New(rand.NewPCG(k.Sum64(), content))}
		if job.dice.Float64() < fault.Rate {
			return fault.Kind
		}
	}
	return ""
}

// refuseByFault plays the faults that leave no page: handled says that it did.
func (s *Server) refuseByFault(job *imagesJob, fault string) (handled bool, err *apiError) {
	switch fault {
	case faultThrottle:
		return true, refuse("ClientLimitExceededException", "Rate exceeded.")
	case faultServerError:
		if job.dice.IntN(2) == 0 {
			return true, refuse("InternalFailure", "The request processing has failed because of an unknown error, exception "+
				"or failure.")
		}
		return true, refuse("ServiceUnavailableException", "The request has failed due to a temporary failure of the server.")
	case faultReset:
		reset(job.w)
		return true, nil
	case faultEndpointExpired:
		s.endpoints.kill(job.endpoint, s.cfg.Now())
		return true, refuse("NotAuthorizedException", "The data endpoint's token has expired.")
	case faultOutOfRetention:
		return true, invalid(outsideRetention)
	}
	return false, nil
}

// reset closes the connection so that the client's read fails at once.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // closes it, if less rudely
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// spoil plays the faults that change a page.
func (s *Server) spoil(job *imagesJob, fault string, p *page) {
	switch fault {
	case faultEmptyPage:
		p.entries = nil
		// One that differs from the token that led here: only then do clients follow it.
		p.nextToken = pageToken(s.seal, job.digest, job.first, s.cfg.Now(),
			binary.BigEndian.AppendUint64(nil, rand.Uint64())...)
	case faultRepeatedToken:
		p.nextToken = job.request.token
	case faultBadBase64, faultCorruptImage:
		job.spoilPicture(fault, p)
	case faultMissingSample, faultEmptyEntry, faultExtraSample, faultShiftedTimestamp, faultFarTimestamp:
		if len(p.entries) > 0 { // the client may have left while it was made
			s.spoilEntry(job, fault, p)
		}
	}
}

func (s *Server) spoilEntry(job *imagesJob, fault string, p *page) {
	i := job.dice.IntN(len(p.entries))
	switch fault {
	case faultMissingSample:
		p.entries = slices.Delete(p.entries, i, i+1)
	case faultEmptyEntry:
		p.entries[i].content, p.entries[i].failure = nil, ""
	case faultExtraSample:
		between := job.instants.at(job.first+int64(i)) + job.instants.interval/2
		if extra, err := job.entry(between, s.cfg.Now()); err == nil {
			p.entries = slices.Insert(p.entries, i+1, extra)
		}
	case faultShiftedTimestamp:
		off := 1 + job.dice.Int64N(job.instants.interval*4/10)
		if job.dice.IntN(2) == 0 {
			off = -off
		}
		p.entries[i].time += off
	case faultFarTimestamp:
		day := (24 * time.Hour).Milliseconds()
		p.entries[i].time = []int64{0, p.entries[i].time - day, p.entries[i].time + day}[job.dice.IntN(3)]
	}
}

// spoilPicture damages one of the page's pictures, if it has any.
func (job *imagesJob) spoilPicture(fault string, p *page) {
	var pictures []*entry
	for i := range p.entries {
		if p.entries[i].content != nil {
			pictures = append(pictures, &p.entries[i])
		}
	}
	if len(pictures) == 0 {
		return
	}
	e := pictures[job.dice.IntN(len(pictures))]
	if fault == faultBadBase64 {
		e.content = badBase64(e.content, job.dice)
	} else {
		e.content = corrupt(e.content, job.dice)
	}
}

// badBase64 puts a few characters where base64 has none of them.
func badBase64(content []byte, d dice) []byte {
	bad := bytes.Clone(content)
	copy(bad[d.IntN(len(bad)):], "*~*")
	return bad
}

// corrupt cuts the picture in half, overwrites its head or puts a text in its
// place: all of it valid base64.
func corrupt(content []byte, d dice) []byte {
	raw, err := base64.StdEncoding.DecodeString(string(content))
	if err != nil {
		return content
	}
	switch d.IntN(3) {
	case 0:
		raw = raw[:len(raw)/2]
	case 1:
		clear(raw[:min(len(raw), 64)])
	default:
		raw = []byte("<html><body>503 Service Temporarily Unavailable</body></html>")
	}
	return base64.StdEncoding.AppendEncode(nil, raw)
}
