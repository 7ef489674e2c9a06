package kvsio

import (
	"bytes"
	"context"
	"io"

	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// lift takes the pictures of an answer off the wire before the SDK sees it. The
// SDK would make a tree of the answer, copy each picture into it as base64
// and leave the decoding to us; so it gets the small rest. Signing, error types
// and the rest's meaning stay the SDK's.
type lift struct {
	wires    *wires
	entries  int                     // that the answer may have
	reserve  func(bytes int64) error // waits for the memory that a picture takes
	payloads []payload
}

// option makes one call of GetImages lift its payloads.
func (l *lift) option(o *media.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		// Right under the SDK's own deserializer: further down, the time that the
		// body takes would be taken for the server's clock being off.
		return stack.Deserialize.Insert(l, "OperationDeserializer", middleware.After)
	})
}

// ID is the middleware's name among the SDK's.
func (l *lift) ID() string { return "kvsio.LiftPayloads" }

// HandleDeserialize lets errors pass, and reads the body of what is none.
func (l *lift) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode < 200 || response.StatusCode > 299 {
		return out, metadata, err
	}
	wire := l.wires.get()
	defer l.wires.put(wire)
	wire.open(response.Body, l.entries)
	rest, payloads, err := liftPayloads(wire, l.reserve)
	response.Body.Close() // nobody else does when we return an error
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	l.payloads = payloads
	// What the SDK keeps of the response must not refer to the wire's buffer.
	response.Body = io.NopCloser(bytes.NewReader(rest))
	return out, metadata, nil
}
