package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// check resolves what workers need to know of AWS, and makes sure that the
// streams can be read: as the workers will, unless only machines of Google's can
// be who they are, and this is not one. Then this machine's own credentials show at
// least that the streams are there.
func (o *Options) check(ctx context.Context) (err error) {
	read := o.Read
	read.AWS, err = kvsio.ResolveAWS(ctx, o.Read.AWS, o.Requests...)
	o.Read.AWS = read.AWS
	if errors.Is(err, kvsio.ErrNoMetadataServer) && !o.runner().IsLocal() {
		read.AWS.RoleARN, read.AWS.WebIdentity, read.AWS.STSEndpointURL = "", "", ""
		if read.AWS, err = kvsio.ResolveAWS(ctx, read.AWS, o.Requests...); err != nil {
			return fmt.Errorf("the streams cannot be checked before the job begins: this is no machine of Google's, and AWS "+
				"credentials of its own, which would stay here, it has none: %w", err)
		}
		log.Warnf(ctx, "only the workers can assume %s: the streams are checked with this machine's own AWS credentials",
			o.Read.AWS.RoleARN)
	}
	if err != nil {
		return err
	}
	found, err := kvsio.Check(ctx, read, o.Requests)
	if err := o.leaveOut(ctx, found, err); err != nil {
		return err
	}
	o.retention = kvsio.Retentions(ctx, read, o.Requests)
	o.ahead = make([]time.Time, len(o.Requests))
	errs := make([]error, len(o.Requests))
	for i := range o.Requests {
		o.tags = append(o.tags, o.Requests[i].Tag)
		o.Requests[i].Tag = "" // the samples of a dataset have none
		o.ahead[i], errs[i] = checkAhead(ctx, read, &o.Requests[i], o.now())
	}
	return errors.Join(errs...)
}

// leaveOut goes on without the streams that cannot be read: with those of which the dataset has
// all that is asked for, and, where KeepGoing is set, without the others, whose requests are then
// in o.unread. found is what [kvsio.Check] returns.
func (o *Options) leaveOut(ctx context.Context, found []kvsio.Request, failed error) error {
	if failed == nil {
		o.Requests = found
		return nil
	}
	type key struct{ arn, name string }
	wrong := make(map[key]error)
	for _, err := range fault.Split(failed) {
		of := (*kvsio.StreamError)(nil)
		if !errors.As(err, &of) {
			return failed
		}
		arn, name := of.Key()
		wrong[key{arn, name}] = err
	}
	problemOf := func(i int) error { return wrong[key{o.Requests[i].StreamARN, o.Requests[i].StreamName}] }
	known, err := ledger.Open(o.Out).Series(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, dataset.ErrNoDataset) {
		return err
	}
	var failing []kvsio.Request
	for i, r := range found {
		if problemOf(i) != nil {
			found[i] = inDataset(r, known)
			failing = append(failing, found[i])
		}
	}
	missing, err := o.missing(ctx, failing)
	if err != nil {
		return err
	}
	var readable []kvsio.Request
	var relative []Relative // of those
	var problems []error
	named := make(map[string]bool)
	for i, r := range found {
		problem, span := problemOf(i), r.Span()
		if until, ok := o.settled(); ok {
			span, _ = splitAt(span, until)
		}
		if problem != nil && len(frame.Common([]frame.Span{span}, missing[span.Series])) == 0 {
			problem = nil
		}
		if problem == nil {
			readable, relative = append(readable, r), append(relative, o.relative(i))
			continue
		}
		if r.Tag != "" {
			problem = fmt.Errorf("%s: %w", r.Tag, problem)
		}
		if !named[problem.Error()] {
			named[problem.Error()] = true
			problems = append(problems, problem)
		}
		o.unread = append(o.unread, unread{r, o.relative(i), problem})
	}
	o.Requests, o.Relative = readable, relative
	return o.goOn(ctx, problems, len(failing) == len(found))
}

// goOn returns an error where the job is not to begin without the streams of problems. Where all
// streams failed for what may pass, it is not the streams that fail.
func (o *Options) goOn(ctx context.Context, problems []error, all bool) error {
	if len(problems) == 0 {
		return nil
	}
	if KindOf(usage(problems...)).Passes() && (all || !o.Read.KeepGoing) {
		return errors.Join(problems...)
	}
	if !o.Read.KeepGoing {
		last := &problems[len(problems)-1]
		*last = fault.Errorf("%w; with %s the others are read, and the samples of these streams stay missing", *last,
			fault.Name("KeepGoing"))
		return errors.Join(problems...)
	}
	for _, problem := range problems {
		log.Warnf(ctx, "samples stay missing: %v", outside.Error(problem))
	}
	return nil
}

// unread is a request of a stream that cannot be read, and why.
type unread struct {
	kvsio.Request
	relative Relative
	problem  error
}

// inDataset returns a request by the ARN that a dataset knows the stream by, where that is one.
func inDataset(r kvsio.Request, known []frame.Series) kvsio.Request {
	var arns []string
	for _, s := range known {
		if r.StreamName != "" && s.StreamName == r.StreamName && s.StreamARN != "" && !slices.Contains(arns, s.StreamARN) {
			arns = append(arns, s.StreamARN)
		}
	}
	if len(arns) == 1 {
		r.StreamARN, r.StreamName = arns[0], ""
	}
	return r
}

// missing returns the samples of requests that are to be fetched.
func (o *Options) missing(ctx context.Context, requests []kvsio.Request) (map[frame.Series][]frame.Span, error) {
	read := o.Read
	read.Ledger, read.LookAgain = o.Out, 0
	if err := openDataset(ctx, o.Out); errors.Is(err, dataset.ErrNoDataset) {
		read.Ledger = ""
	} else if err != nil {
		return nil, err
	}
	plan, err := kvsio.NewPlan(ctx, read, requests)
	if err != nil {
		return nil, err
	}
	return frame.BySeries(plan.Missing), nil
}
