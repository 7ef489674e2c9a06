package kvstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// The metadata server of Google's machines: it hands out ID tokens of the
// machine's service account.

const (
	metadataPath     = "/computeMetadata/v1/"
	identityPath     = metadataPath + "instance/service-accounts/default/identity"
	metadataFlavor   = "Metadata-Flavor"
	identityIssuer   = "https://accounts.google.com"
	identityAudience = "sts.amazonaws.com" // what the roles' trust policies ask for
	identityTTL      = time.Hour

	// serviceAccount is the unique ID of the machine's service account.
	serviceAccount = "100000000000000000001"
)

// identity is the claims of an ID token.
type identity struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Party    string `json:"azp"`
	Subject  string `json:"sub"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

func isMetadata(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, metadataPath) }

func (s *Server) serveMetadata(c *call) {
	c.w.Header().Set(metadataFlavor, "Google")
	c.w.Header().Set("Content-Type", "application/text")
	audience := c.r.URL.Query().Get("audience")
	switch {
	case c.r.Header.Get(metadataFlavor) != "Google":
		http.Error(c.w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
	case c.r.URL.Path != identityPath:
		http.NotFound(c.w, c.r)
	case audience == "":
		http.Error(c.w, "non-empty audience parameter required", http.StatusBadRequest)
	default:
		s.stats.identityToken()
		io.WriteString(c.w, s.identityToken(audience))
	}
}

var identityHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// identityToken makes a JWT that only this server takes.
func (s *Server) identityToken(audience string) string {
	now := s.cfg.Now()
	claims, _ := json.Marshal(identity{
		identityIssuer, audience, serviceAccount, serviceAccount, now.Unix(), now.Add(identityTTL).Unix(),
	})
	signed := identityHeader + "." + base64.RawURLEncoding.EncodeToString(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(s.signIdentity(signed))
}

func (s *Server) signIdentity(text string) []byte {
	mac := hmac.New(sha256.New, s.seal.nonceKey)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (s *Server) readIdentity(token string) (id identity, err *apiError) {
	bad := refuse("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you "+
		"sent an Access Token)")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return id, bad
	}
	signature, badSignature := base64.RawURLEncoding.DecodeString(parts[2])
	claims, badClaims := base64.RawURLEncoding.DecodeString(parts[1])
	if badSignature != nil || badClaims != nil || json.Unmarshal(claims, &id) != nil {
		return id, bad
	}
	switch {
	case !hmac.Equal(signature, s.signIdentity(parts[0]+"."+parts[1])):
		return id, refuse("InvalidIdentityToken", "The web identity token's signature is not valid.")
	case s.cfg.Now().Unix() >= id.Expires:
		return id, refuse("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
	case id.Audience != identityAudience:
		return id, refuse("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	return id, nil
}
