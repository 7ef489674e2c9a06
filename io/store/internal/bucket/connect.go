package bucket

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// Attempts is how often one request is made. Services answer "slow down" for minutes
	// while they grow; between attempts there are up to 20 seconds.
	Attempts = 6

	// answerTimeout is how long a service may take to begin its answer.
	answerTimeout = time.Minute

	// idleConnections is how many connections are kept for the next request.
	idleConnections = 64
)

// Tune fits a transport for many small requests at once.
func Tune(t *http.Transport) {
	t.MaxIdleConnsPerHost = idleConnections
	t.ResponseHeaderTimeout = answerTimeout
}

// Take removes what a URL says under a name, and returns it.
func Take(query url.Values, name string) string {
	value := query.Get(name)
	query.Del(name)
	return value
}

// TakeBool is Take for true and false; otherwise is what it is where the URL says nothing.
func TakeBool(query url.Values, name string, otherwise bool) (bool, error) {
	text := Take(query, name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%s is %q: it must be true or false", name, text)
	}
	return value, nil
}
