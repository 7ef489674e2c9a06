// Package framepb holds what is planned and what is stored: [Work], [Receipt],
// [Request] and [Dataset] are protos. What is stored of them is JSON with a checksum,
// see [EncodeJSON]. A version that gives one a new field gives datasets a new version.
package framepb

//go:generate go test -run=^TestGenerated$ -update .
