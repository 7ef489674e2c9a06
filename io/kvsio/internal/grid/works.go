package grid

import (
	"cmp"
	"slices"
	"sort"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// CutWorks lays runs end to end and cuts them into n works (fewer where there
// are fewer shards) whose numbers of shards differ by at most one. So a work
// mixes streams, and a stream is in no more works than balance needs. The runs
// of a stream must stand together.
func CutWorks(runs []frame.Span, shardSamples int64, n int) []*framepb.Work {
	var total int64
	for _, r := range runs {
		total += ShardCount(r, shardSamples)
	}
	parts := min(int64(n), total)
	works := make([]*framepb.Work, 0, parts)
	var rest frame.Span // of the run that the last work ended in
	for part := range parts {
		room := total*(part+1)/parts - total*part/parts
		b := workBuilder{work: &framepb.Work{ShardSamples: int32(shardSamples)}}
		for room > 0 {
			if rest.Samples == 0 {
				rest, runs = runs[0], runs[1:]
			}
			head, tail := cutRun(rest, shardSamples, room)
			b.add(head)
			room -= ShardCount(head, shardSamples)
			rest = tail
		}
		works = append(works, b.work)
	}
	return works
}

// cutRun cuts a run after its first n shards.
func cutRun(run frame.Span, shardSamples, n int64) (head, tail frame.Span) {
	if n >= ShardCount(run, shardSamples) {
		return run, frame.Span{}
	}
	at := ShardAt(run, shardSamples, n).First
	head, tail = run, run
	head.Samples = at - run.First
	tail.First, tail.Samples = at, run.End()-at
	return head, tail
}

type workBuilder struct {
	work *framepb.Work
	last frame.Series
}

func (b *workBuilder) add(run frame.Span) {
	if len(b.work.Series) == 0 || b.last != run.Series {
		b.work.Series = append(b.work.Series, framepb.SeriesOf(run.Series))
		b.last = run.Series
	}
	b.work.Runs = append(b.work.Runs, &framepb.Run{
		Series: int32(len(b.work.Series) - 1), First: run.First, Samples: run.Samples,
	})
}

// Order is the order of a work's shards: its streams take turns, one
// shard each, until the shorter ones have no more. Every bundle works on
// a stretch of that order, so it is arithmetic on run lengths: nothing is
// listed, whatever the number of shards.
type Order struct {
	ShardSamples int64          // samples a shard
	streams      []streamShards // those with most shards first
	before       []int64        // before[j]: shards of streams[:j]
	Total        int64
}

// streamShards is the runs of one stream, whatever its series.
type streamShards struct {
	key    StreamKey
	rank   int // in the plan's order
	runs   []frame.Span
	before []int64 // before[j]: shards of runs[:j]
	total  int64
}

// NewOrder returns the order of a work's shards.
func NewOrder(w *framepb.Work) *Order {
	o := &Order{ShardSamples: int64(w.ShardSamples)}
	series := seriesOf(w)
	index := make(map[StreamKey]int)
	for _, r := range w.Runs {
		run := frame.Span{Series: series[r.Series], First: r.First, Samples: r.Samples}
		key := KeyOf(run.Series)
		i, ok := index[key]
		if !ok {
			i = len(o.streams)
			index[key] = i
			o.streams = append(o.streams, streamShards{key: key, rank: i})
		}
		s := &o.streams[i]
		s.runs = append(s.runs, run)
		s.before = append(s.before, s.total)
		s.total += ShardCount(run, o.ShardSamples)
	}
	slices.SortStableFunc(o.streams, func(a, b streamShards) int { return cmp.Compare(b.total, a.total) })
	for _, s := range o.streams {
		o.before = append(o.before, o.Total)
		o.Total += s.total
	}
	return o
}

func seriesOf(w *framepb.Work) []frame.Series {
	series := make([]frame.Series, len(w.Series))
	for i, s := range w.Series {
		series[i] = s.Value()
	}
	return series
}

// Streams returns the streams of the order, as a Turn counts them.
func (o *Order) Streams() []StreamKey {
	keys := make([]StreamKey, len(o.streams))
	for j, s := range o.streams {
		keys[j] = s.key
	}
	return keys
}

// At returns shard k of the order, 0 <= k < Total.
func (o *Order) At(k int64) frame.Span {
	round := o.round(k)
	return o.shard(int(k-o.beforeRound(round)), round)
}

// round returns the round that shard k is of: the last that begins at or
// before it.
func (o *Order) round(k int64) int64 {
	rounds := o.streams[0].total
	return int64(sort.Search(int(rounds), func(r int) bool { return o.beforeRound(int64(r)+1) > k }))
}

// shard returns the shard of a stream that is of a round.
func (o *Order) shard(stream int, round int64) frame.Span {
	s := o.streams[stream]
	run := sort.Search(len(s.before), func(j int) bool { return s.before[j] > round }) - 1
	return ShardAt(s.runs[run], o.ShardSamples, round-s.before[run])
}

// beforeRound returns how many shards the rounds before r hold: r of each
// stream that has as many, and all of each that has fewer.
func (o *Order) beforeRound(r int64) int64 {
	longer := sort.Search(len(o.streams), func(j int) bool { return o.streams[j].total <= r })
	if longer == len(o.streams) {
		return r * int64(longer)
	}
	return r*int64(longer) + o.Total - o.before[longer]
}
