package awsbase

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// credentialsPath is where a machine's metadata service has the name of its role, and
// below it the role's credentials.
const credentialsPath = "/meta-data/iam/security-credentials/"

// readMetadata reads what a machine's metadata service answers, in place of whoever uses
// it: by then the attempt is over, and half an answer would be the last.
func readMetadata(answer *smithyhttp.Response) error {
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if answer.StatusCode/100 != http.StatusOK/100 {
		return nil // it is an error whatever is left of it
	}
	_, role, ofRole := strings.Cut(answer.Request.URL.Path, credentialsPath)
	switch {
	case err != nil:
	case len(body) == 0:
		err = errors.New("the metadata service answers with nothing")
	case ofRole && role != "" && !json.Valid(body):
		err = errors.New("the metadata service answers with what are no credentials") // and may hold some
	}
	if err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	return nil
}
