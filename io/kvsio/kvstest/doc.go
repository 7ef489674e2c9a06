// Package kvstest is a stand-in for Amazon Kinesis Video Streams: a real HTTP
// server, used as net/http/httptest is for HTTP, against which the AWS SDKs
// and the AWS CLI work unchanged.
//
//	srv := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
//		Name:  "front-door",
//		Media: []kvstest.Range{{From: from, To: to}},
//	}}})
//	defer srv.Close()
//	control := kinesisvideo.NewFromConfig(srv.AWSConfig())
//
// # What it answers
//
// The control plane is at [Server.URL]: ListStreams, DescribeStream,
// ListTagsForStream and GetDataEndpoint. GetDataEndpoint answers a data
// endpoint, a URL on the same host whose path holds a token that is bound to
// the stream and the API and expires; GetImages and ListFragments are answered
// there and only there. On the control plane GetImages answers 200 without Images, as the
// service does. GET /_stats answers [Stats] as JSON, unsigned.
//
// # Roles
//
// The Security Token Service is answered at [Server.URL], too: AssumeRole, and
// AssumeRoleWithWebIdentity for the ID tokens of a metadata server such as
// Google's machines have, which answers below /computeMetadata/v1/. So
//
//	AWS_ENDPOINT_URL_STS=http://HOST:PORT GCE_METADATA_HOST=HOST:PORT
//
// makes a process take this one for a machine of Google's. [Config.Roles] are
// those that can be assumed. Their trust policies ask for the audience
// sts.amazonaws.com. A role's credentials work with their session token alone,
// until they expire.
//
// # What is checked
//
// Signatures (Signature Version 4, service name kinesisvideo), every
// documented constraint, page tokens and quotas are checked. Where the
// service's documentation leaves a choice the stand-in takes the harder one.
//
// # Time
//
// A stream has media in stretches, [Stream.Media]. A stretch consists of
// frames, at its start + n/FrameRate, and of fragments, counted from its start
// too. The image of an instant is the last frame at or before it in the same
// stretch, and its TimeStamp is that frame's time, in whole milliseconds. A
// range that starts strictly inside a fragment gets nothing of that fragment:
// its instants there are entries with neither image nor error. Outside the
// media, and before the retention period, an entry is NO_MEDIA (but see
// [Config.TimeStamps] and [Config.BeforeRetention]). A stream
// without media answers NO_MEDIA for every instant. Footage that is not in the
// archive yet ([Stream.Delay], [Stream.Late]) is as if there were none.
//
// ListFragments lists the fragments that begin in a range, both ends included, in no order.
// Producers' clocks agree with the server's, and both selectors go by the time of the
// recording, that of late footage too.
//
// As time goes on footage gets into the archive and ages out ([Stream.Delay],
// [Stream.Late], [Stream.Retention]); streams come, go and are forbidden ([Stream.Created], [Stream.Deleted], [Stream.Forbidden]); faults begin
// and end ([Fault.During]). A test that sets [Config.Now] lives through months in
// seconds: [Server.Has] says what the archive has at a time, [Config.Served] what
// was handed out.
//
// All that and the lifetimes of tokens go by [Config.Now]; signatures and
// quotas go by the real clock, because the clients' own clocks do.
//
// # Pictures
//
// Pictures are real JPEG or PNG, drawn at the size that is asked for: a
// landscape with the stream's name, the time, a sun and a cart that move, and
// along the lower edge a timecode that [ReadTimecode] reads back from the
// decoded picture, even at JPEG quality 1 and at 160×90 pixels. The same
// stream, frame, size, format and quality give the same bytes, on every run.
// With [Stream.Folder] they are pictures of your own.
//
// # Faults
//
// [Config.Faults] makes calls fail, each kind at its own rate. Which calls
// fail depends on the seed, the call's content and how often that same call
// was made before, not on the order of calls: runs are reproducible under
// concurrency, and a repeated call has its own luck.
package kvstest
