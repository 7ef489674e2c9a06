package kvsio

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
)

// CheckRegions returns an error for each request, nil where there is none: a
// *RequestError where its StreamARN is of another region than p names, or, where p
// names none, than the ARNs before it. All requests that are read together are of
// one region.
func CheckRegions(p AWSParams, requests []Request) []error {
	if p.Region == "" {
		return inOneRegion("", requests, "in %[1]s, as the one before it, not in %[2]s: read each region by itself")
	}
	return inOneRegion(p.Region, requests, "in %[1]s, the region that is read: leave %[3]s out, or set it to %[2]s")
}

// inOneRegion is CheckRegions with what to say of both regions, and of the name of the
// field that sets the first.
func inOneRegion(region string, requests []Request, allowed string) []error {
	errs := make([]error, len(requests))
	for i, r := range requests {
		of := regionOf(r.StreamARN)
		if region == "" {
			region = of
		}
		if of != "" && of != region {
			errs[i] = &RequestError{[]*Fault{fault.New("StreamARN", quoted(r.StreamARN),
				fault.Errorf(allowed, region, of, fault.Name("AWS.Region")))}}
		}
	}
	return errs
}

// regionOf returns the region that an ARN of a stream names, "" for any other text.
func regionOf(arn string) string {
	if _, ok := frame.NameInARN(arn); !ok {
		return ""
	}
	return strings.Split(arn, ":")[3]
}

// inRegionOf returns p in the region of streams by their ARNs, where it names none. A
// stream that goes by its name alone is in the environment's region, and so must all
// beside it be.
func (p AWSParams) inRegionOf(arns []string) AWSParams {
	if p.Region != "" {
		return p
	}
	for _, arn := range arns {
		if p.Region = regionOf(arn); p.Region == "" {
			break
		}
	}
	return p
}

func arnsOf(requests []Request) []string {
	arns := make([]string, len(requests))
	for i, r := range requests {
		arns[i] = r.StreamARN
	}
	return arns
}

// numbered says of each error which request it is of.
func numbered(requests []Request, errs []error) error {
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("request %d (%s): %w", i+1, requests[i].stream(), err)
		}
	}
	return errors.Join(errs...)
}
