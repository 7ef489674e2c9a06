package kvstest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sort"
	"strings"
	"time"
)

const (
	describeRate = 5   // DescribeStream and GetDataEndpoint, each, a second and stream
	accountRate  = 300 // the same, a second and account
	listRate     = 50  // ListStreams, a second and account
)

// controlLimits are the control plane's quotas of the account.
type controlLimits struct{ describe, endpoint, list, tags *limiter }

func newControlLimits() controlLimits {
	return controlLimits{newLimiter(accountRate), newLimiter(accountRate), newLimiter(listRate), newLimiter(listRate)}
}

// apiNames are the APIs a data endpoint can be asked for.
var apiNames = []string{
	"PUT_MEDIA", "GET_MEDIA", "LIST_FRAGMENTS", "GET_MEDIA_FOR_FRAGMENT_LIST",
	"GET_HLS_STREAMING_SESSION_URL", "GET_DASH_STREAMING_SESSION_URL", "GET_CLIP", "GET_IMAGES",
}

type streamInfo struct {
	CreationTime         float64
	DataRetentionInHours int64
	MediaType            string
	Status               string
	StreamARN            string
	StreamName           string
	Version              string
}

func (st *stream) info() streamInfo {
	return streamInfo{
		CreationTime:         float64(st.created) / 1000,
		DataRetentionInHours: int64(*st.Retention / time.Hour),
		MediaType:            "video/h264",
		Status:               "ACTIVE",
		StreamARN:            st.arn,
		StreamName:           st.Name,
		Version:              st.version,
	}
}

func (s *Server) describeStream(c *call) (any, *apiError) {
	in := readInput(c.body)
	name, arn := in.streamRef()
	st, err := s.lookup(c, in, name, arn)
	s.stats.count(c.stream, func(t *tally) { t.DescribeStreamCalls++ })
	if err != nil {
		return nil, err
	}
	if err := throttle(s.limits.describe, st.describes); err != nil {
		return nil, err
	}
	return struct{ StreamInfo streamInfo }{st.info()}, nil
}

func (s *Server) getDataEndpoint(c *call) (any, *apiError) {
	in := readInput(c.body)
	in.require("APIName")
	name, arn := in.streamRef()
	api := in.enum("APIName", apiNames...)
	st, err := s.lookup(c, in, name, arn)
	s.stats.count(c.stream, func(t *tally) { t.GetDataEndpointCalls++ })
	if err != nil {
		return nil, err
	}
	if err := throttle(s.limits.endpoint, st.endpointCalls); err != nil {
		return nil, err
	}
	token := s.endpoints.issue(st.Name, api, s.cfg.Now())
	return struct{ DataEndpoint string }{"http://" + c.host + "/" + token}, nil
}

func (s *Server) listTagsForStream(c *call) (any, *apiError) {
	in := readInput(c.body)
	name, arn := in.streamRef()
	token := in.str("NextToken", 0, 1024, listTokenPattern)
	st, err := s.lookup(c, in, name, arn)
	if err != nil {
		return nil, err
	}
	if token != "" { // all tags are on the first page
		return nil, invalid("NextToken is not valid.")
	}
	if err := throttle(s.limits.tags); err != nil {
		return nil, err
	}
	tags := st.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return struct{ Tags map[string]string }{tags}, nil
}

func (s *Server) listStreams(c *call) (any, *apiError) {
	in := readInput(c.body)
	limit := in.number("MaxResults", 1, 10000)
	token := in.str("NextToken", 0, 1024, listTokenPattern)
	prefix := readNameCondition(in)
	if err := in.err(); err != nil {
		return nil, err
	}
	if err := throttle(s.limits.list); err != nil {
		return nil, err
	}
	after, err := s.readListToken(token, prefix)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = 10000
	}
	var answer struct {
		StreamInfoList []streamInfo
		NextToken      string `json:",omitempty"`
	}
	answer.StreamInfoList = []streamInfo{}
	first := sort.Search(len(s.names), func(i int) bool { return s.names[i] > after })
	for _, name := range s.names[first:] {
		if !strings.HasPrefix(name, prefix) || s.find(name, "") == nil {
			continue
		}
		if n := len(answer.StreamInfoList); int64(n) == limit {
			answer.NextToken = s.listToken(answer.StreamInfoList[n-1].StreamName, prefix)
			break
		}
		answer.StreamInfoList = append(answer.StreamInfoList, s.streams[name].info())
	}
	return answer, nil
}

// readNameCondition returns the prefix that the listed names must have.
func readNameCondition(in *input) string {
	condition := in.object("StreamNameCondition")
	if condition == nil {
		return ""
	}
	inner := &input{members: condition}
	inner.enum("ComparisonOperator", "BEGINS_WITH")
	prefix := inner.str("ComparisonValue", 1, 256, namePattern)
	inner.require("ComparisonOperator", "ComparisonValue")
	if inner.typeErr != nil {
		in.typeErr = inner.typeErr
	}
	if inner.valErr != nil {
		in.fail(inner.valErr)
	}
	return prefix
}

// listToken makes the token of the page after the stream named last.
func (s *Server) listToken(last, prefix string) string {
	digest := sha256.Sum256([]byte(prefix))
	plain := binary.BigEndian.AppendUint64(digest[:], uint64(s.cfg.Now().Truncate(pageTokenAge).UnixMilli()))
	return base64.StdEncoding.EncodeToString(s.seal.seal(streamsToken, append(plain, last...)))
}

func (s *Server) readListToken(token, prefix string) (last string, err *apiError) {
	if token == "" {
		return "", nil
	}
	digest := sha256.Sum256([]byte(prefix))
	sealed, decodeErr := base64.StdEncoding.Strict().DecodeString(token)
	if decodeErr != nil {
		return "", invalid("NextToken is not valid.")
	}
	plain, openErr := s.seal.open(streamsToken, sealed)
	if openErr != nil || string(plain[:32]) != string(digest[:]) {
		return "", invalid("NextToken is not valid.")
	}
	if s.cfg.Now().UnixMilli()-int64(binary.BigEndian.Uint64(plain[32:])) >= pageTokenTTL.Milliseconds() {
		return "", invalid("NextToken has expired.")
	}
	return string(plain[40:]), nil
}

// lookup finds the stream a request is about, once its members are sound.
func (s *Server) lookup(c *call, in *input, name, arn string) (*stream, *apiError) {
	if err := in.err(); err != nil {
		return nil, err
	}
	st := s.find(name, arn)
	if st == nil {
		return nil, refuse("ResourceNotFoundException", "The requested stream is not found or not active.")
	}
	c.stream = st.Name
	return st, st.forbids(s.cfg.Now())
}

// find returns the stream of that name or ARN, nil if there is none now.
func (s *Server) find(name, arn string) *stream {
	if arn != "" {
		name = strings.Split(arn, "/")[1]
	}
	st := s.streams[name]
	if st == nil || arn != "" && st.arn != arn || !st.exists(s.cfg.Now()) {
		return nil
	}
	return st
}

func throttle(limits ...*limiter) *apiError {
	for _, l := range limits {
		if !l.take(time.Now(), 1) {
			return refuse("ClientLimitExceededException", "Rate exceeded.")
		}
	}
	return nil
}
