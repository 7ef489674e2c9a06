package kvstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// A sealer makes opaque tokens that only it can open. Each server has its own
// key: a token of another server is unknown. The same is sealed in the same way,
// so that what clients print of a server can be compared.
type sealer struct {
	aead     cipher.AEAD
	nonceKey []byte
}

// A token's first byte says what it is for. It also keeps tokens from being
// text: some clients take base64 of JSON for a token of their own.
const (
	endpointToken byte = 1 + iota
	imagesToken
	streamsToken
	fragmentsToken
)

var errToken = errors.New("not a token of this server")

func newSealer() sealer {
	key := make([]byte, 64)
	rand.Read(key)
	block, err := aes.NewCipher(key[:32])
	if err != nil {
		panic(err) // 32 bytes are a valid key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return sealer{aead, key[32:]}
}

func (s sealer) seal(kind byte, plain []byte) []byte {
	mac := hmac.New(sha256.New, s.nonceKey)
	mac.Write([]byte{kind})
	mac.Write(plain)
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return s.aead.Seal(append([]byte{kind}, nonce...), nonce, plain, []byte{kind})
}

func (s sealer) open(kind byte, token []byte) ([]byte, error) {
	head := 1 + s.aead.NonceSize()
	if len(token) < head || token[0] != kind {
		return nil, errToken
	}
	plain, err := s.aead.Open(nil, token[1:head], token[head:], token[:1])
	if err != nil {
		return nil, errToken
	}
	return plain, nil
}
