package framepb

import (
	"reflect"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestSeriesOf: every field of a series is stored.
func TestSeriesOf(t *testing.T) {
	var s frame.Series
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Kind() {
		case reflect.String:
			field.SetString(v.Type().Field(i).Name)
		default:
			field.SetInt(int64(i + 1))
		}
	}
	if got := SeriesOf(s).Value(); got != s {
		t.Errorf("%+v is stored as %+v", s, got)
	}
}
