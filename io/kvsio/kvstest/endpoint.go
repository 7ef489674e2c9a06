package kvstest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// endpoints gives and checks the tokens in the data endpoints' paths. A token
// holds stream, API and expiry; only those that a fault has killed are kept.
type endpoints struct {
	seal sealer
	ttl  time.Duration
	mu   sync.Mutex
	dead map[[32]byte]time.Time // digest of a token: when it expires anyway
}

// A grant is what a data endpoint is good for.
type grant struct {
	stream  string
	api     string
	expires time.Time
}

func newEndpoints(ttl time.Duration) *endpoints {
	return &endpoints{seal: newSealer(), ttl: ttl, dead: map[[32]byte]time.Time{}}
}

// issue makes a token that can stand in a path as it is.
func (e *endpoints) issue(stream, api string, now time.Time) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(now.Add(e.ttl).UnixNano()))
	plain = append(plain, api...)
	plain = append(plain, 0)
	plain = append(plain, stream...)
	return base64.RawURLEncoding.EncodeToString(e.seal.seal(endpointToken, plain))
}

// read opens a token. A token that has expired or been killed has a grant too:
// it says whose it was.
func (e *endpoints) read(token string, now time.Time) (g grant, alive bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return grant{}, false
	}
	plain, err := e.seal.open(endpointToken, sealed)
	if err != nil {
		return grant{}, false
	}
	g.expires = time.Unix(0, int64(binary.BigEndian.Uint64(plain)))
	for i, c := range plain[8:] {
		if c == 0 {
			g.api, g.stream = string(plain[8:8+i]), string(plain[8+i+1:])
			break
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, killed := e.dead[sha256.Sum256([]byte(token))]
	return g, !killed && now.Before(g.expires)
}

// kill makes a token expire at once.
func (e *endpoints) kill(token string, now time.Time) {
	g, alive := e.read(token, now)
	if !alive {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for t, expires := range e.dead {
		if now.After(expires) {
			delete(e.dead, t)
		}
	}
	e.dead[sha256.Sum256([]byte(token))] = g.expires
}
