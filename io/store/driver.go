package store

import (
	"fmt"
	"net/url"
)

// Driver opens the buckets of a scheme. Register makes it known.
type Driver struct {
	// Query lists the names that may follow the ? of a URL. Each may have a value that is
	// not secret: URLs are written into pipelines, summaries and logs.
	Query []string

	// Open returns the bucket of a place, whose name has been checked. It does not look
	// whether the bucket can be reached.
	Open func(Place) (Bucket, error)

	// Resolve returns the query of a place with what the driver found on this machine
	// and other machines need. nil: what the URL says is enough.
	Resolve func(Place) (url.Values, error)
}

// packages are those that register a driver, by scheme, but for memstore: whoever knows of
// it is a test.
var packages = map[string]string{"gs": "gcsstore", "s3": "s3store"}

// drivers are those that are known, by scheme. A file:// URL needs none.
var drivers = map[string]Driver{"file": {}}

// Register makes the driver of a scheme known. Call it in the init function of a package.
func Register(scheme string, driver Driver) { drivers[scheme] = driver }

func driverOf(scheme string) (Driver, error) {
	driver, ok := drivers[scheme]
	if name, ours := packages[scheme]; !ok && ours {
		return driver, fmt.Errorf("this program has no driver for %s://: import _ %q",
			scheme, "github.com/kvsframes/kvsframes/io/store/"+name)
	}
	if !ok {
		return driver, fmt.Errorf("%q is no kind of place that is known: %s", scheme+"://", allowedPlaces)
	}
	return driver, nil
}
