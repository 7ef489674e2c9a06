package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/kvsframes/kvsframes/io/kvsio"
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
	if o.Requests, err = kvsio.Check(ctx, read, o.Requests); err != nil {
		return err
	}
	var ahead []error
	for i := range o.Requests {
		ahead = append(ahead, checkAhead(ctx, read, &o.Requests[i], o.now()))
	}
	return errors.Join(ahead...)
}
