package kvstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// A sealer makes opaque tokens that only it can open. Each server has its own
// key: a token of another server is unknown.
type sealer struct{ aead cipher.AEAD }

// A token's first byte says what it is for. It also keeps tokens from being
// text: some clients take base64 of JSON for a token of their own.
const (
	endpointToken byte = 1 + iota
	imagesToken
	streamsToken
)

var errToken = errors.New("not a token of this server")

func newSealer() sealer {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes are a valid key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return sealer{aead}
}

func (s sealer) seal(kind byte, plain []byte) []byte {
	return s.aead.Seal([]byte{kind}, nil, plain, []byte{kind})
}

func (s sealer) open(kind byte, token []byte) ([]byte, error) {
	if len(token) == 0 || token[0] != kind {
		return nil, errToken
	}
	plain, err := s.aead.Open(nil, nil, token[1:], token[:1])
	if err != nil {
		return nil, errToken
	}
	return plain, nil
}
