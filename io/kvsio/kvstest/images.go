package kvstest

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// serveImages answers a call on the data endpoint of a token.
func (s *Server) serveImages(c *call, token string) {
	g, alive := s.endpoints.read(token, s.cfg.Now())
	c.stream = g.stream
	defer s.stats.begin(c.stream)()
	if err := s.authenticate(c); err != nil {
		s.refuse(c, err)
		return
	}
	if !alive || g.api != "GET_IMAGES" {
		s.refuse(c, refuse("NotAuthorizedException", "The data endpoint is not valid or its token has expired."))
		return
	}
	job, err := s.prepare(c, g)
	if err != nil {
		s.refuse(c, err)
		return
	}
	job.endpoint = token
	if err := s.answer(job); err != nil {
		s.refuse(c, err)
	}
}

// imagesJob is a GetImages call that is sound and about to be answered.
type imagesJob struct {
	*call
	request  imagesRequest
	st       *stream
	endpoint string // token
	times    string // what TimeStamps are
	digest   [32]byte
	instants instants
	first    int64 // the instant that the page begins with
	asked    int64 // images
	dice     dice  // what its fault is up to, if it has one
}

// prepare checks all of a request that can be refused.
func (s *Server) prepare(c *call, g grant) (*imagesJob, *apiError) {
	r, err := readImagesRequest(c.body)
	if err != nil {
		return nil, err
	}
	st := s.find(r.name, r.arn)
	switch {
	case st == nil:
		return nil, refuse("ResourceNotFoundException", "The requested stream is not found or not active.")
	case st.Name != g.stream:
		return nil, refuse("NotAuthorizedException", "The data endpoint is another stream's.")
	case *st.Retention == 0:
		return nil, refuse("NoDataRetentionException", "The stream does not retain data.")
	}
	if err := cmp.Or(st.forbids(s.cfg.Now()), s.refuseBeforeRetention(st, r.start)); err != nil {
		return nil, err
	}
	job := &imagesJob{
		call: c, request: r, st: st, times: s.cfg.TimeStamps, digest: r.digest(st.Name),
		instants: rangeInstants(r.start, r.end, r.interval, *s.cfg.EndInclusive),
		asked:    int64(s.cfg.PageSize),
	}
	if r.maxResults != 0 {
		job.asked = min(r.maxResults, job.asked)
	}
	if r.token != "" {
		job.first, err = readPageToken(s.seal, job.digest, r.token, s.cfg.Now())
	}
	return job, err
}

// outsideRetention is a message of the service's.
const outsideRetention = "The requested range is outside of the stream retention period."

// refuseBeforeRetention refuses a range that begins before what the stream
// keeps, where that is what the configuration says.
func (s *Server) refuseBeforeRetention(st *stream, start int64) *apiError {
	if start >= s.cfg.Now().UnixMilli()-st.footage.retention {
		return nil
	}
	switch s.cfg.BeforeRetention {
	case answerInvalidArgument:
		return invalid(outsideRetention)
	case answerNotFound:
		return refuse("ResourceNotFoundException", "No fragments found in the stream for the requested range.")
	}
	return nil
}

// answer writes the page, or whatever the call's fault makes of it.
func (s *Server) answer(job *imagesJob) *apiError {
	fault := s.faults.draw(job, s.cfg.Now())
	if handled, err := s.refuseByFault(job, fault); handled {
		return err
	}
	if media, metadata := costs(job.asked); !job.st.media.take(time.Now(), media, metadata) {
		return refuse("ClientLimitExceededException", "Rate exceeded.")
	}
	p, err := s.page(job)
	if err != nil {
		return refuse("InternalFailure", "%v", err)
	}
	s.tell(job, p)
	s.spoil(job, fault, &p)
	n := p.pictures()
	s.wait(job, n)
	if job.r.Context().Err() != nil {
		// Returning would send a 200 with part of the page, or nothing.
		panic(http.ErrAbortHandler)
	}
	s.stats.images(job.st.Name, n)
	s.send(job, fault, p)
	return nil
}

// page looks up and draws what the call asks for.
func (s *Server) page(job *imagesJob) (page, error) {
	var p page
	now := s.cfg.Now()
	end := min(job.first+job.asked, job.instants.count)
	for k := job.first; k < end && job.r.Context().Err() == nil; k++ {
		e, err := job.entry(job.instants.at(k), now)
		if err != nil {
			return page{}, err
		}
		p.entries = append(p.entries, e)
	}
	if end < job.instants.count {
		p.nextToken = pageToken(s.seal, job.digest, end, now)
	}
	return p, nil
}

// maxContent is the longest ImageContent, in base64.
const maxContent = 6_291_456

func (job *imagesJob) entry(t int64, now time.Time) (entry, error) {
	what, frame := job.st.footage.look(job.request.start, t, now)
	switch what {
	case noMedia:
		return entry{time: t, failure: "NO_MEDIA"}, nil
	case headless:
		return entry{time: t}, nil
	case mediaError:
		return entry{time: t, failure: "MEDIA_ERROR"}, nil
	}
	content, err := job.st.source.picture(frame, pictureSpec{
		format: job.request.format, quality: job.request.quality,
		width: job.request.width, height: job.request.height,
	})
	if err != nil {
		return entry{}, err
	}
	if len(content) > maxContent {
		return entry{time: t, failure: "MEDIA_ERROR"}, nil
	}
	if job.times == timeOfFrame {
		t = frame
	}
	return entry{time: t, content: content}, nil
}

// wait sleeps until the call has taken as long as the latency model says, the
// client has left or the server closes.
func (s *Server) wait(job *imagesJob, images int) {
	took := s.cfg.Latency.PerCall + time.Duration(images)*s.cfg.Latency.PerImage
	timer := time.NewTimer(time.Until(job.arrived.Add(took)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-job.r.Context().Done():
	}
}

// send writes the answer, or half of it.
func (s *Server) send(job *imagesJob, fault string, p page) {
	pieces, size := p.body()
	job.w.Header().Set("Content-Type", "application/json")
	job.w.Header().Set("Content-Length", strconv.Itoa(size))
	left := size
	if fault == faultStall || fault == faultTruncatedBody {
		left = size / 2
	}
	for _, piece := range pieces {
		piece = piece[:min(len(piece), left)]
		left -= len(piece)
		if _, err := job.w.Write(piece); err != nil {
			return
		}
	}
	if fault == faultStall {
		http.NewResponseController(job.w).Flush()
		<-job.r.Context().Done()
	}
}

func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
