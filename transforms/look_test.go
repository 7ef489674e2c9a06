package transforms

import (
	"testing"

	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestStepsThatLookAround: package ledger knows by a dataset's description which steps need
// whole shards.
func TestStepsThatLookAround(t *testing.T) {
	for _, k := range kinds {
		if got := ledger.LooksAround([]string{k.name + " x:y"}); got != k.inOrder {
			t.Errorf("%s looks at other frames: %v, want %v", k.name, got, k.inOrder)
		}
	}
	each := []string{"decode", "resize 224x224:crop", "tensor float32:beside"}
	if ledger.LooksAround(nil) || ledger.LooksAround(each) {
		t.Error("what is done to each frame by itself looks around")
	}
	for _, other := range []string{"dedupe 3", "sharpen 2", ""} {
		if !ledger.LooksAround(append(each, other)) {
			t.Errorf("%q does not look around", other)
		}
	}
}
