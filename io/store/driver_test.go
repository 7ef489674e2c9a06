package store

import (
	"strings"
	"testing"
)

// TestNoDriver: a program without the driver of a scheme is told what to import.
func TestNoDriver(t *testing.T) {
	for scheme, name := range packages {
		driver, ok := drivers[scheme]
		delete(drivers, scheme)
		err := Check(scheme + "://bucket/p")
		if ok {
			drivers[scheme] = driver
		}
		if err == nil || !strings.Contains(err.Error(), `import _ "github.com/kvsframes/kvsframes/io/store/`+name+`"`) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}
