package frame_test

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
)

func TestCheckNames(t *testing.T) {
	good := frame.Series{
		StreamName: "front.door_1-a", StreamARN: "arn:aws-cn:kinesisvideo:cn-north-1:111122223333:stream/front.door_1-a/1700000000000", Format: frame.PNG,
	}
	if err := good.CheckNames(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(s *frame.Series){
		`"" is no name`:            func(s *frame.Series) { s.StreamName = "" },
		`"../x" is no name`:        func(s *frame.Series) { s.StreamName = "../x" },
		`"x\n" is no name`:         func(s *frame.Series) { s.StreamName = "x\n" },
		`xxx" is no name`:          func(s *frame.Series) { s.StreamName = strings.Repeat("x", 257) },
		`"arn:x" is no ARN`:        func(s *frame.Series) { s.StreamARN = "arn:x" },
		`has the format "NPY"`:     func(s *frame.Series) { s.Format = frame.NPY },
		`"a\x1b]0;x\a" is no name`: func(s *frame.Series) { s.StreamName = "a\x1b]0;x\a" },
	} {
		s := good
		change(&s)
		if err := s.CheckNames(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v must contain %s", err, want)
		}
	}
}
