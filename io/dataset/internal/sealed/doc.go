// Package sealed keeps consecutive receipts of a series in one Parquet file: a row a sample.
//
// The rows are what people query. What a receipt says of a shard as a whole stands in the
// footer, in a table that is read without the rows. A file is
//
//	rows | page index | checksum of all before | checksum of the footer | footer
//
// Parquet has no such checksums, and its readers look at nothing right before the footer.
package sealed
