package transforms

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"

	beamruntime "github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime"

	"github.com/kvsframes/kvsframes/internal/fault"
)

// ofPixels ends the description of a step whose function takes pixels.
const ofPixels = ":pixels"

func describeFunc(name string, fn any, asPixels bool) string {
	name += " " + funcName(fn)
	if asPixels {
		name += ofPixels
	}
	return name
}

func parseFunc[F any](spec string) (fn F, asPixels bool, err error) {
	name, asPixels := strings.CutSuffix(spec, ofPixels)
	fn, err = findFunc[F](name)
	return fn, asPixels, err
}

func checkFunc(field string, fn any) error {
	if reflect.ValueOf(fn).IsNil() {
		return fault.New(field, "nil", "a function that is registered with Beam")
	}
	name := funcName(fn)
	base := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains(base, ".func") || strings.HasSuffix(base, "-fm") {
		return fault.New(field, name,
			"a function with a name of its own, no closure and no method value, because workers find it by its name")
	}
	return nil
}

func funcName(fn any) string {
	if v := reflect.ValueOf(fn); !v.IsNil() {
		return runtime.FuncForPC(v.Pointer()).Name()
	}
	return "nothing"
}

// findFunc finds a function by its name, as Beam finds those of ParDos.
func findFunc[F any](name string) (fn F, err error) {
	found, err := beamruntime.ResolveFunction(name, reflect.TypeFor[F]())
	if err != nil {
		return fn, fmt.Errorf("finding the function %s: %w", name, err)
	}
	fn, ok := found.(F)
	if !ok {
		return fn, fmt.Errorf("%s is a %T, not a %T", name, found, fn)
	}
	return fn, nil
}
