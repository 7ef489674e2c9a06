package beamrun

import (
	"errors"
	"testing"
)

func TestCauseOf(t *testing.T) {
	const graph = "while executing Process for Plan[stage-002]:\n1: DataSource[S[stage-002_source@localhost:36933], i0] " +
		"Out:4 Coder:W;cwv_n2<int[varintz;c2];c3>!GWC \n" +
		"4: ParDo[kvsio.readFn] Out:[3] Sig: func(context.Context, int, func(int)) error, SideInputs: []\n3: " +
		"PCollection[n4] Out:[2]\n\tcaused by:\n"
	tests := []struct{ name, text, want string }{
		{
			"prism",
			"job job-001 failed:\nbundle inst002 stage-002 failed:process bundle failed for instruction inst002 using plan " +
				"stage-002 : " + graph +
				"source failed processing data\n\tcaused by:\nDoFn[UID:4, PID:e4, Name: kvsio.readFn] failed:\nreading " +
				"front-door at 2026-01-01T00:00:00Z: no such stream",
			"reading front-door at 2026-01-01T00:00:00Z: no such stream",
		},
		{"direct", graph + "DoFn[UID:2, PID:x, Name: y] failed:\nwriting /x/y: disk full", "writing /x/y: disk full"},
		{
			"a panic",
			"job job-001 failed:\npanic: oh no\nFull error:\n" + graph + "panic: oh no goroutine 112 " +
				"[running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:26 +0x5e\n",
			"panic: oh no",
		},
		{
			"Flink",
			"job x failed:\njava.lang.RuntimeException: Error received from SDK harness for instruction 3: process bundle " +
				"failed for instruction 3 using plan 4 : " + graph +
				"DoFn[UID:4, PID:e4, Name: kvsio.readFn] failed:\nreading cam at 2026-01-01T00:00:00Z: forbidden\n\tat " +
				"org.apache.beam.runners.X.y(Z.java:1)\n\tat java.lang.Thread.run(Thread.java:2)",
			"reading cam at 2026-01-01T00:00:00Z: forbidden",
		},
		{
			"a worker that cannot start",
			"job kvsframes0backfill_3c22d35e failed:\njava.io.IOException: error=2, No such file or directory\n\tat " +
				"java.base/java.lang.ProcessImpl.forkAndExec(Native Method)",
			"java.io.IOException: error=2, No such file or directory",
		},
		{
			"nothing of Beam's", "no job service endpoint specified. Use --endpoint=<endpoint>",
			"no job service endpoint specified. Use --endpoint=<endpoint>",
		},
		{"several lines", "DoFn[UID:2, PID:x, Name: y] failed:\none\n  two", "one two"},
	}
	for _, test := range tests {
		if got := CauseOf(errors.New(test.text)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
