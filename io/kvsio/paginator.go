package kvsio

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/ask"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/lift"
)

// PaginationConfig says which images of a range a Paginator returns, and how
// they are fetched. The zero value returns all of them. The fields are those
// of boto3's PaginationConfig
// (https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/kinesis-video-archived-media/paginator/GetImages.html).
type PaginationConfig struct {
	// MaxItems is the most images to return in all, at least 0. Where the range
	// has more, the last page is cut, in its middle too, and ResumeToken says how
	// to go on. 0 fetches a page all the same, and returns none of its images.
	// Default: no limit.
	MaxItems *int

	// PageSize is the most images to ask for in one call, 1–100: it is sent as
	// MaxResults. The service may answer fewer (it documents 25) at a time.
	// Default: as many as the service thinks right.
	//
	// Keep one PageSize in a chain of tokens. A resume token counts the images
	// that were returned of the page that was cut: with another PageSize that
	// page is another one. As with boto3, images then come twice.
	PageSize *int

	// StartingToken says where to go on: a ResumeToken of this package, of boto3
	// (its NextToken) or of the AWS CLI, or a NextToken of the service itself,
	// at most 4096 characters of a–z A–Z 0–9 + / and = at the end. The service's
	// tokens expire, and hold for the same input only. Default: at the start.
	StartingToken string

	// SplitRange reads a range over 300 s, too, which GetImages refuses: as
	// ranges of at most 300 s, each page at most 100 images of one of them, the
	// image at EndTimestamp included. What the service leaves out at the head of
	// a range, or of a page, is asked for again, as Read does; an instant that
	// is not answered all the same is an Image with an Error of Read's gaps
	// (NOT_RETURNED). PageSize is the most to ask for in one call. SamplingInterval
	// is at least 200 ms. A StartingToken is one of the same range: its tokens
	// have boto3's form, hold nothing of the service's, and do not expire. A
	// shorter range is read as without SplitRange. Default: one range of GetImages,
	// whatever its length, and the service's error.
	SplitRange bool
}

// Image is one entry of an answer of GetImages.
type Image struct {
	// TimeStamp is the service's for the image, to the millisecond; zero where
	// the answer has none.
	TimeStamp time.Time
	// Error says why there is no image: NO_MEDIA or MEDIA_ERROR, the service's
	// words, CORRUPT where Content did not come as base64, or, of a split range,
	// any reason of a gap (frame.GapReasons). It may be empty
	// without an image: the service answers so for the fragment that a range
	// starts inside.
	Error string
	// Content is the encoded picture, base64 already undone. It is not looked
	// into.
	Content []byte
}

// Page is a page of images.
type Page struct {
	Images []Image
	// NextToken is the service's token of the page that follows, empty on the
	// last; in what BuildFullResult returns, it is the ResumeToken.
	NextToken string
}

// ErrRepeatedToken says that the service answered the same NextToken twice in a
// row: following it would not end.
var ErrRepeatedToken = errors.New("the service answered the same NextToken twice in a row")

// Paginator reads the images of one range page by page, as boto3's GetImages
// paginator does, without Beam. It makes one call at a time, and is not for use
// by several goroutines at once.
type Paginator struct {
	params  ReadParams // AWS and CallParams alone are set
	stream  grid.StreamKey
	refusal error // of GetDataEndpoint: pages come from AWS.EndpointURL itself
	input   media.GetImagesInput
	split   *splitRange // nil: the range is one of GetImages'

	at       resumeToken     // where the page that is next begins
	left     int             // images that may still be returned
	pages    int             // that came
	barren   int             // of them, the last ones that brought nothing new
	came     map[string]bool // NextTokens
	instants int64           // of the range that no image has come for yet
	repeated bool            // the page that is next is one that came
	done     bool
	resume   string
}

// PaginatorParams says which account and region a Paginator reads from, and how it
// makes its calls. The zero value is a good start.
type PaginatorParams struct {
	AWS AWSParams
	CallParams
}

// NewPaginator makes a paginator of the images that input asks for. It makes no
// calls.
//
// A call finds the stream's data endpoint, is made again where it failed in
// passing, and keeps to the stream's pace, as the calls of Read do: with the
// same p in one process, and for a stream that is named in the same way (by its
// ARN, or by its name), they share one pace. Paginators are not counted in
// MaxInFlight and MemoryBudget. Where p.AWS.EndpointURL refuses to name a data
// endpoint, it may be one itself, and is called.
//
// The range is one range of GetImages, with the service's limits (300 s; but see
// SplitRange), and what the service says of it is what comes back. Leave input's MaxResults and
// NextToken out: PageSize and StartingToken are in their place.
//
// The error is that of p, or a *RequestError that names each field of input
// and config that cannot be right.
func NewPaginator(
	ctx context.Context, params PaginatorParams, input *media.GetImagesInput, config PaginationConfig,
) (*Paginator, error) {
	p := ReadParams{AWS: params.AWS, CallParams: params.CallParams}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var in media.GetImagesInput
	if input != nil {
		in = *input
	}
	var c checks
	c.imagesInput(in)
	stream := []Request{{StreamName: aws.ToString(in.StreamName), StreamARN: aws.ToString(in.StreamARN)}}
	if wrong, ok := errors.AsType[*RequestError](CheckRegions(p.AWS, stream)[0]); ok {
		c.faults = append(c.faults, wrong.Faults...)
	}
	at := c.pagination(config)
	if config.PageSize != nil {
		in.MaxResults = aws.Int64(int64(*config.PageSize))
	}
	var split *splitRange
	if config.SplitRange && len(c.faults) == 0 {
		split = c.newSplitRange(in, at)
	}
	if len(c.faults) > 0 {
		return nil, &RequestError{Faults: c.faults}
	}
	var err error
	if p.AWS, _, err = p.AWS.inRegionOf(arnsOf(stream)).locate(ctx); err != nil {
		return nil, err
	}
	e, err := anyEngine(ctx, p)
	if err != nil {
		return nil, err
	}
	e.release() // the credentials are there
	left := math.MaxInt
	if config.MaxItems != nil {
		left = *config.MaxItems
	}
	instants := in.EndTimestamp.Sub(*in.StartTimestamp).Milliseconds()/max(1, int64(*in.SamplingInterval)) + 1
	return &Paginator{
		params: p, stream: grid.StreamKey{ARN: stream[0].StreamARN, Name: stream[0].StreamName},
		input: in, split: split, at: at, left: left, came: make(map[string]bool), instants: instants,
	}, nil
}

// imagesInput checks what must be there and what can only be wrong. What else
// may be is for the service to say.
func (c *checks) imagesInput(in media.GetImagesInput) {
	c.stream(Request{StreamName: aws.ToString(in.StreamName), StreamARN: aws.ToString(in.StreamARN)})
	c.selector(ImageSelectorType(in.ImageSelectorType))
	c.instant("StartTimestamp", aws.ToTime(in.StartTimestamp))
	c.instant("EndTimestamp", aws.ToTime(in.EndTimestamp))
	if in.SamplingInterval == nil {
		c.add("SamplingInterval", "not set", "a number of milliseconds")
	}
	c.oneOf("Format", string(in.Format), frame.JPEG, frame.PNG)
	c.formatConfig(in.FormatConfig)
	c.size(int(aws.ToInt32(in.WidthPixels)), int(aws.ToInt32(in.HeightPixels)))
	if in.MaxResults != nil {
		c.add("MaxResults", strconv.FormatInt(*in.MaxResults, 10),
			fault.Errorf("left out: set %s", fault.Name("PaginationConfig.PageSize")))
	}
	if in.NextToken != nil {
		c.add("NextToken", quoted(*in.NextToken),
			fault.Errorf("left out: set %s", fault.Name("PaginationConfig.StartingToken")))
	}
}

const mostPageSize = 100

func (c *checks) pagination(config PaginationConfig) (at resumeToken) {
	if n := config.MaxItems; n != nil && *n < 0 {
		c.add("PaginationConfig.MaxItems", strconv.Itoa(*n), "at least 0, or left out")
	}
	if n := config.PageSize; n != nil && (*n < 1 || *n > mostPageSize) {
		c.add("PaginationConfig.PageSize", strconv.Itoa(*n), fmt.Sprintf("1–%d, or left out", mostPageSize))
	}
	if config.StartingToken != "" {
		var ok bool
		if at, ok = parseStartingToken(config.StartingToken); !ok {
			c.add("PaginationConfig.StartingToken", quoted(config.StartingToken),
				fmt.Sprintf("a resume token, as kvsframes, boto3 and the AWS CLI make them, or a NextToken of the service "+
					"(1–%d characters of a–z A–Z 0–9 + / and = at the end)", longestNextToken))
		}
	}
	return at
}

// HasMorePages reports whether NextPage has something to return.
func (p *Paginator) HasMorePages() bool { return !p.done }

// NextPage fetches the next page. A page may be empty.
//
// The service's errors are there for errors.As
// (*types.InvalidArgumentException), after all attempts. After an error NextPage
// may be called again and asks for the same page, but for ErrRepeatedToken and
// the error for pages that bring nothing new and do not end: those end the pages.
func (p *Paginator) NextPage(ctx context.Context) (*Page, error) {
	if p.done {
		return nil, errors.New("there are no more pages: ask HasMorePages first")
	}
	if p.repeated {
		p.done = true
		return nil, p.failed(ErrRepeatedToken)
	}
	e, err := anyEngine(ctx, p.params)
	if err != nil {
		return nil, p.failed(err)
	}
	defer e.release()
	defer e.wires.Use()()
	if p.split != nil {
		return p.splitPage(ctx, e)
	}
	images, next, err := p.fetch(ctx, e)
	if err != nil {
		return nil, p.failed(err)
	}
	images = images[min(p.at.skip, len(images)):]
	if len(images) > p.left {
		images = images[:p.left]
		p.done, p.resume = true, resumeToken{p.at.next, p.at.skip + p.left}.cut()
		return &Page{images, next}, nil
	}
	p.left -= len(images)
	switch {
	case next == "":
		p.done = true
	case p.left == 0:
		p.done, p.resume = true, resumeToken{next: next}.whole()
	}
	if next != "" && p.endless(len(images), next) {
		return nil, p.failed(ask.ErrBarren)
	}
	// The token that the caller started with does not count.
	p.repeated = p.pages > 0 && next == p.at.next
	p.at = resumeToken{next: next}
	p.pages++
	return &Page{images, next}, nil
}

// endless takes note of a page with a number of images, and reports whether it is one
// too many that brings nothing new: no image, images beyond those that the range
// can have, or a token that came before.
func (p *Paginator) endless(images int, next string) bool {
	p.barren++
	if images > 0 && p.instants > 0 && !p.came[next] {
		p.barren = 0
	}
	p.instants -= int64(images)
	p.came[next] = true
	p.done = p.done || p.barren >= ask.MaxBarren
	return p.barren >= ask.MaxBarren
}

// fetch fetches the whole of the page that is next.
func (p *Paginator) fetch(ctx context.Context, e *engine) (images []Image, next string, err error) {
	in := p.input
	if p.at.next != "" {
		in.NextToken = &p.at.next
	}
	calls := p.calls(e)
	out, payloads, err := calls.get(ctx, &in, p.pages > 0)
	if err != nil {
		return nil, "", err
	}
	p.refusal = calls.stream.refused()
	images = make([]Image, len(out.Images))
	for i, entry := range out.Images {
		content := lift.PayloadOf(entry.ImageContent, payloads)
		images[i] = Image{TimeStamp: aws.ToTime(entry.TimeStamp), Error: string(entry.Error), Content: content.Data}
		if content.Err != nil {
			images[i].Error, images[i].Content = frame.Corrupt, nil
		}
	}
	return images, aws.ToString(out.NextToken), nil
}

// splitPage fetches the next page of a split range.
func (p *Paginator) splitPage(ctx context.Context, e *engine) (*Page, error) {
	p.split.calls.imageCalls = p.calls(e)
	page, err := p.split.page(ctx, p.left)
	if err != nil {
		return nil, p.failed(err)
	}
	p.refusal = p.split.calls.stream.refused()
	p.pages++
	p.left -= len(page.Images)
	p.done = page.NextToken == "" || p.left == 0
	if p.left == 0 {
		p.resume = page.NextToken
	}
	return page, nil
}

// calls makes the calls of one page. Until the first has come somebody may have
// named the wrong endpoint, and is told so soon.
func (p *Paginator) calls(e *engine) imageCalls {
	r := e.reading(p.stream)
	r.ifRefused, r.refusal = p.params.AWS.EndpointURL, p.refusal
	calls := imageCalls{engine: e, stream: r, stats: &callStats{}, endpoint: readyAttempts}
	if p.pages > 0 {
		calls.endpoint = patientAttempts
	}
	return calls
}

func (p *Paginator) failed(err error) error {
	return fmt.Errorf("getting page %d of the images of %s from %s: %w",
		p.pages+1, p.stream, p.input.StartTimestamp.UTC().Format(time.RFC3339Nano), err)
}

// Pages returns the pages that are left. The last is a nil one where there is
// an error.
func (p *Paginator) Pages(ctx context.Context) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		for p.HasMorePages() {
			page, err := p.NextPage(ctx)
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// Images returns the images of the pages that are left. The last is an empty
// one where there is an error. Who leaves in the middle of a page does not get
// the rest of it again.
func (p *Paginator) Images(ctx context.Context) iter.Seq2[Image, error] {
	return func(yield func(Image, error) bool) {
		for page, err := range p.Pages(ctx) {
			if err != nil {
				yield(Image{}, err)
				return
			}
			for _, image := range page.Images {
				if !yield(image, nil) {
					return
				}
			}
		}
	}
}

// BuildFullResult returns the images of all pages that are left as one page,
// whose NextToken is the ResumeToken.
func (p *Paginator) BuildFullResult(ctx context.Context) (*Page, error) {
	full := &Page{Images: []Image{}}
	for page, err := range p.Pages(ctx) {
		if err != nil {
			return nil, err
		}
		full.Images = append(full.Images, page.Images...)
	}
	full.NextToken = p.resume
	return full, nil
}

// ResumeToken returns the StartingToken of whoever wants the images after
// MaxItems, in the form that boto3 and the AWS CLI take, too. It is empty
// before the last page, and where nothing was left.
func (p *Paginator) ResumeToken() string { return p.resume }
