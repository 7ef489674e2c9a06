package awsbase

import (
	"fmt"
	"regexp"
	"strconv"
)

// RegionForm says what a region's name may be.
const RegionForm = "the name of a region, such as us-east-1"

// regionPattern is of what the SDK makes the names of hosts of.
var regionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)

// IsRegion reports whether a text may be the name of a region.
func IsRegion(name string) bool { return regionPattern.MatchString(name) }

// checkRegion returns an error for a region that a configuration cannot have. None is fine.
func checkRegion(name string) error {
	if name == "" || IsRegion(name) {
		return nil
	}
	return fmt.Errorf("the region, of AWS_REGION or the shared config file, is %s: it must be %s", strconv.Quote(name),
		RegionForm)
}
