// Package lift takes the pictures out of an answer of GetImages while it comes over
// the wire, and looks at their headers.
//
// The AWS SDK would make a tree of the answer, copy each picture into it as base64
// and leave the decoding to its caller. A [Call] decodes each picture from where it lies
// in the buffer that the body is read into, and hands the SDK the small rest. Signing,
// error types and the meaning of the rest stay the SDK's.
//
// How much is read, and how much is kept, is bounded by how many entries the answer
// may have: 7 MiB for each picture, 1 KiB for what stands around it, and 16 KiB for the
// whole answer. What is longer is [ErrLongBody].
package lift

import (
	"bytes"
	"context"
	"io"

	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Call takes the pictures of the answer to one call off the wire before the SDK sees
// it. All fields but Payloads are required.
type Call struct {
	Wires   *Wires // the buffers to read with
	Entries int    // the most that the answer may have

	// Reserve waits for the memory of the next picture, which takes at most so many
	// bytes. Its error is the call's.
	Reserve func(bytes int64) error

	Payloads []Payload // what was taken off: see PayloadOf
}

// Option makes one call of GetImages lift its payloads.
func (l *Call) Option(o *media.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		// Right under the SDK's own deserializer: further down, the time that the
		// body takes would be taken for the server's clock being off.
		return stack.Deserialize.Insert(l, "OperationDeserializer", middleware.After)
	})
}

// ID is the middleware's name among the SDK's.
func (l *Call) ID() string { return "kvsio.LiftPayloads" }

// HandleDeserialize lets errors pass, and reads the body of any other answer.
func (l *Call) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode < 200 || response.StatusCode > 299 {
		return out, metadata, err
	}
	wire := l.Wires.get()
	defer l.Wires.put(wire)
	wire.open(response.Body, l.Entries)
	rest, payloads, err := liftPayloads(wire, l.Reserve)
	response.Body.Close() // nobody else does when we return an error
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	l.Payloads = payloads
	// What the SDK keeps of the response must not refer to the wire's buffer.
	response.Body = io.NopCloser(bytes.NewReader(rest))
	return out, metadata, nil
}
