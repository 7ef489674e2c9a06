package kvsio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	err = readBody(wire, response.Body, response.ContentLength)
	response.Body.Close() // nobody else does when we return an error
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	rest, payloads := liftPayloads(wire.Bytes())
	l.payloads = payloads
	// What the SDK keeps of the response must not refer to the wire's buffer.
	response.Body = io.NopCloser(bytes.NewReader(rest))
	return out, metadata, nil
}

const (
	// longestBody is more than the longest answer there can be: 25 ImageContents
	// of 6,291,456 characters, and what is around them.
	longestBody = 160 << 20
	// longestTrust is how much memory a Content-Length is given before any of
	// the body has come.
	longestTrust = 8 << 20
)

var errLongBody = errors.New("the answer is longer than GetImages' can be")

// readBody reads a body into wire. length is its Content-Length, if there is one.
func readBody(wire *bytes.Buffer, body io.Reader, length int64) error {
	wire.Reset()
	if length > longestBody {
		return fmt.Errorf("%w: %d bytes", errLongBody, length)
	}
	// One more makes room to see the end without growing.
	wire.Grow(int(min(max(length, 0), longestTrust)) + bytes.MinRead)
	n, err := wire.ReadFrom(io.LimitReader(body, longestBody+1))
	if err == nil && n > longestBody {
		err = fmt.Errorf("%w: over %d bytes", errLongBody, longestBody)
	}
	return err
}
