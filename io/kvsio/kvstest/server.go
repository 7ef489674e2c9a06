package kvstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a stand-in for Kinesis Video Streams that listens on this machine.
type Server struct {
	// URL is the control plane, "http://HOST:PORT" without a slash at the end.
	URL string
	// Addr is the address that it listens at, which may be of all networks.
	Addr net.Addr
	// Region is the AWS region that clients must sign for.
	Region string

	cfg       Config
	streams   map[string]*stream
	names     []string // of the streams, sorted
	verifier  verifier
	seal      sealer // of page tokens
	endpoints *endpoints
	limits    controlLimits
	faults    *faults
	stats     *recorder

	http    *http.Server
	ctx     context.Context // ends when the server closes
	cancel  context.CancelFunc
	serving sync.WaitGroup // the accept loop and every connection

	transport *http.Transport // of AWSConfig
}

// NewServer starts a server on a free port of 127.0.0.1. The caller should
// call Close when finished, to shut it down. NewServer panics when the Config
// is not valid (see [Config.Validate]) or when it cannot listen.
func NewServer(cfg Config) *Server {
	s, err := Listen(cfg, "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return s
}

// Listen starts a server on a TCP address, as net.Listen takes it. An address
// without a host listens on all of the machine's; URL then names the loopback.
func Listen(cfg Config, addr string) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s, err := newServer(cfg.withDefaults())
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("kvstest: %w", err)
	}
	s.URL, s.Addr = "http://"+reachable(l.Addr().(*net.TCPAddr)), l.Addr()
	s.serving.Go(func() { s.http.Serve(l) })
	return s, nil
}

func newServer(cfg Config) (*Server, error) {
	s := &Server{
		Region: cfg.Region, cfg: cfg, streams: map[string]*stream{},
		verifier: verifier{
			region: cfg.Region, keys: new(atomic.Pointer[map[string]string]), sessions: newSessions(cfg.Now), now: time.Now,
		},
		seal:      newSealer(),
		endpoints: newEndpoints(cfg.EndpointTokenTTL), limits: newControlLimits(),
		faults: newFaults(cfg.Seed, cfg.Faults), stats: newRecorder(cfg.Streams),
		transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}
	s.verifier.keys.Store(&cfg.AccessKeys)
	kept := newCaches()
	for _, config := range cfg.Streams {
		st, err := newStream(cfg, config, kept)
		if err != nil {
			return nil, fmt.Errorf("kvstest: stream %s: %w", config.Name, err)
		}
		s.streams[config.Name] = st
	}
	s.names = sortedKeys(s.streams)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
		ConnState:         s.track,
	}
	return s, nil
}

// track lets Close wait for the connections' goroutines.
func (s *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.serving.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.serving.Done()
	}
}

func reachable(a *net.TCPAddr) string {
	host := a.IP.String()
	if a.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, fmt.Sprint(a.Port))
}

// Close ends every call under way, stalled ones too, closes all connections
// and returns when nothing of the server runs any more.
func (s *Server) Close() {
	s.cancel()
	s.http.Close()
	s.serving.Wait()
	s.transport.CloseIdleConnections()
}

// Stats returns what was counted so far.
func (s *Server) Stats() Stats { return s.stats.snapshot() }

// ResetStats sets all counts to zero; calls under way count as concurrent.
func (s *Server) ResetStats() { s.stats.reset() }

// StreamARN returns the ARN of the stream of that name, "" if there is none.
func (s *Server) StreamARN(name string) string {
	if st := s.streams[name]; st != nil {
		return st.arn
	}
	return ""
}

// SetQuota changes what GetImages may use of a stream while the server runs.
// What was left stays, up to one second's worth of the new quota; after a quota
// without limit nothing is left. It fails when there is no such stream and when
// the quota is not valid.
func (s *Server) SetQuota(stream string, q Quota) error {
	st := s.streams[stream]
	if st == nil {
		return fmt.Errorf("kvstest: there is no stream %q", stream)
	}
	var cs complaints
	if q.validate("quota", &cs); len(cs) > 0 {
		return cs
	}
	st.media.setRates(time.Now(), q.MediaPoints, q.MetadataPoints)
	return nil
}

// SetAccessKeys changes, while the server runs, whose signatures are taken, as
// Config.AccessKeys does at the start. It fails where an id or a secret is empty.
func (s *Server) SetAccessKeys(keys map[string]string) error {
	var cs complaints
	if cs.accessKeys(keys); len(cs) > 0 {
		return cs
	}
	keys = maps.Clone(keys)
	s.verifier.keys.Store(&keys)
	return nil
}

// call is one request under way.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	body    []byte
	host    string // as the client knows this server
	arrived time.Time
	stream  string // once known
}

const (
	maxBody = 1 << 20

	// No answer comes sooner than this: no real service is that fast, and some
	// clients (see wholeBody) break when an answer overtakes their request.
	minLatency = time.Millisecond
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, host: r.Host, arrived: time.Now()}
	w.Header().Set("x-amzn-RequestId", requestID())
	if r.Method == http.MethodGet && r.URL.Path == "/_stats" {
		writeJSON(w, http.StatusOK, s.Stats())
		return
	}
	if token, operation := dataPath(r.URL.Path); token != "" && r.Method == http.MethodPost {
		switch operation {
		case "getImages":
			s.serveImages(c, token)
			return
		case "listFragments":
			s.serveFragments(c, token)
			return
		}
	}
	if isMetadata(r) {
		s.serveMetadata(c)
		return
	}
	if isSTS(r) {
		s.serveSTS(c)
		return
	}
	answer, err := s.control(c)
	if err != nil {
		s.refuse(c, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// dataPath takes /TOKEN/OPERATION apart.
func dataPath(path string) (token, operation string) {
	token, operation, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return token, operation
}

func (s *Server) control(c *call) (any, *apiError) {
	if err := s.authenticate(c); err != nil {
		return nil, err
	}
	if c.r.Method == http.MethodPost {
		switch c.r.URL.Path {
		case "/describeStream":
			return s.describeStream(c)
		case "/getDataEndpoint":
			return s.getDataEndpoint(c)
		case "/listStreams":
			return s.listStreams(c)
		case "/listTagsForStream":
			return s.listTagsForStream(c)
		case "/getImages": // the service's trap: no error, and no Images
			return struct{}{}, nil
		}
	}
	return nil, refuse("UnknownOperationException", "There is no operation at %s %s.", c.r.Method, c.r.URL.Path)
}

// authenticate reads the body and checks the signature.
func (s *Server) authenticate(c *call) *apiError {
	if err := s.readBody(c); err != nil {
		return err
	}
	return s.verifier.verify(c.r, c.body, signingService)
}

func (s *Server) readBody(c *call) *apiError {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return refuse("RequestEntityTooLargeException", "The request is larger than %d bytes.", maxBody)
	}
	if err != nil {
		return refuse("SerializationException", "The request was cut short.")
	}
	c.body = body
	time.Sleep(minLatency)
	return nil
}

func (s *Server) refuse(c *call, err *apiError) {
	s.stats.refused(c.stream, err.code)
	err.write(c.w)
}
