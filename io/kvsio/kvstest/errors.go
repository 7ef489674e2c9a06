package kvstest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is a refusal, as it goes over the wire.
type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// refuse makes an apiError with the HTTP status that the service documents for
// the code.
func refuse(code, format string, args ...any) *apiError {
	return &apiError{code, statusOf(code), fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *apiError {
	return refuse("InvalidArgumentException", format, args...)
}

func statusOf(code string) int {
	switch code {
	case "NotAuthorizedException":
		return http.StatusUnauthorized
	case "InvalidSignatureException", "IncompleteSignatureException", "UnrecognizedClientException",
		"MissingAuthenticationTokenException", "AccessDenied", "AccessDeniedException":
		return http.StatusForbidden
	case "ResourceNotFoundException", "UnknownOperationException":
		return http.StatusNotFound
	case "RequestEntityTooLargeException":
		return http.StatusRequestEntityTooLarge
	case "InternalFailure":
		return http.StatusInternalServerError
	case "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func (e *apiError) write(w http.ResponseWriter) {
	w.Header().Set("x-amzn-ErrorType", e.code+":https://kinesisvideo.amazonaws.com/doc/2017-09-30/")
	writeJSON(w, e.status, struct{ Message string }{e.message})
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // all answers are plain structs
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
