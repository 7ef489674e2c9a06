package header

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/shardtest"
)

func TestCheckNPY(t *testing.T) {
	for want, data := range map[string][]byte{
		"":                        shardtest.Tensor("<f4", "(1, 2, 3, 3)", 72),
		" ":                       shardtest.Tensor("<U5", "(7,)", 140),
		"  ":                      shardtest.Tensor("|u1", "()", 1),
		"does not begin as one":   []byte("\xff\xd8\xff\xe0 a JPEG"),
		"ends in its header":      shardtest.Tensor("<f4", "(1,)", 4)[:100],
		"header that cannot be":   shardtest.Tensor("[('a', '<f4')]", "(1,)", 4),
		"with 71 bytes of values": shardtest.Tensor("<f4", "(1, 2, 3, 3)", 71),
		"with 73 bytes of values": shardtest.Tensor("<f4", "(1, 2, 3, 3)", 73),
		"too large":               shardtest.Tensor("<f4", "(99999999999999999999, 2)", 8),
		"with 8 bytes of values":  shardtest.Tensor("<f4", "(100, 100, 100, 100)", 8),
	} {
		err := CheckNPY(data)
		if strings.TrimSpace(want) == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.70q: %v, want %q", data, err, want)
		}
	}
}

func FuzzCheckNPY(f *testing.F) {
	f.Add(shardtest.Tensor("<f4", "(1, 2, 3, 3)", 72))
	f.Add([]byte("\x93NUMPY\x03\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if CheckNPY(data) == nil && CheckNPY(append(data, 0)) == nil {
			t.Error("a byte more changes nothing")
		}
	})
}
