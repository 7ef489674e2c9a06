package kvstest

import (
	"crypto/rand"
	"crypto/subtle"
	"sync"
	"time"
)

// sessions are the temporary credentials that roles were given.
type sessions struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]sessionCredentials // access key id: session
}

// sessionCredentials are as the Security Token Service answers them. A secret
// begins with what tells it from all other text, for those who search for it.
type sessionCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

const (
	secretMark = "kvstest-session-secret-"
	tokenMark  = "kvstest-session-token-"
)

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, of: map[string]sessionCredentials{}}
}

func (s *sessions) issue(expires time.Time) sessionCredentials {
	c := sessionCredentials{
		AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: secretMark + rand.Text(),
		SessionToken: tokenMark + rand.Text(), Expiration: expires.UTC().Truncate(time.Second),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[c.AccessKeyID] = c
	return c
}

// secret returns the secret of a session's access key, which is good with the
// session's token alone.
func (s *sessions) secret(accessKey, token string) (string, *apiError) {
	s.mu.Lock()
	c, known := s.of[accessKey]
	s.mu.Unlock()
	switch {
	case !known || subtle.ConstantTimeCompare([]byte(c.SessionToken), []byte(token)) == 0:
		return "", refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	case !s.now().Before(c.Expiration):
		return "", refuse("ExpiredTokenException", "The security token included in the request is expired")
	}
	return c.SecretAccessKey, nil
}
