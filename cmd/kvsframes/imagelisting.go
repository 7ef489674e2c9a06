package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/store"
)

// imageListing is a get-images command: images from pages to stdout, or to a
// folder.
type imageListing struct {
	pages   *kvsio.Paginator
	config  kvsio.PaginationConfig
	onePage bool
	stream  string
	format  string
	out     string // folder; empty: none
	fetched bool   // a page has come

	endpointFrom string // where the endpoint is said: a flag or a variable
	silent       int    // empty entries
}

// listed is what is printed: to the letter what the AWS CLI prints, but for
// File.
type listed struct {
	Images    []*listedImage // nil where one is empty
	NextToken string         `json:",omitempty"`
}

type listedImage struct {
	TimeStamp    json.Number `json:",omitempty"`
	Error        string      `json:",omitempty"`
	ImageContent *[]byte     `json:",omitempty"` // in base64
	File         string      `json:",omitempty"` // in the folder, in place of ImageContent
}

func (l *imageListing) run(cmd *cobra.Command) error {
	undo := func() {}
	if l.out != "" {
		var err error
		if undo, err = store.MakeFolder(l.out); err != nil {
			return mistakes(fmt.Errorf("--out is %q: %w", l.out, err))
		}
	}
	result, err := l.list(cmd.Context())
	err = interrupted(err)
	switch {
	case err != nil && !l.fetched && mistaken(err):
		undo()
		return mistakes(l.explain(err))
	case err != nil:
		return err
	}
	encoder := json.NewEncoder(visible{cmd.OutOrStdout()})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	if err := encoder.Encode(result); err != nil {
		return err
	}
	if l.silent > 0 {
		return fmt.Errorf("%d of %d entries of the answer are empty, without even a time, and are printed as null: "+
			"run the same command to ask for them again", l.silent, len(result.Images))
	}
	return nil
}

// visible escapes in JSON what a terminal would obey: what the service says is
// printed as it is.
type visible struct{ w io.Writer }

func (v visible) Write(data []byte) (int, error) {
	_, err := v.w.Write(outside.JSON(data))
	return len(data), err
}

func (l *imageListing) list(ctx context.Context) (listed, error) {
	result := listed{Images: []*listedImage{}}
	for page, err := range l.pages.Pages(ctx) {
		if err != nil {
			return result, err
		}
		l.fetched = true
		for _, image := range page.Images {
			entry, err := l.entry(image)
			if err != nil {
				return result, err
			}
			if *entry == (listedImage{}) {
				l.silent++
				entry = nil
			}
			result.Images = append(result.Images, entry)
		}
		if l.onePage {
			result.NextToken = page.NextToken
			return result, nil
		}
	}
	result.NextToken = l.pages.ResumeToken()
	return result, nil
}

func (l *imageListing) entry(image kvsio.Image) (entry *listedImage, err error) {
	entry = &listedImage{TimeStamp: seconds(image.TimeStamp), Error: image.Error}
	switch {
	case image.Content == nil:
	case l.out == "":
		entry.ImageContent = &image.Content
	default:
		entry.File = frame.Key(l.stream, image.TimeStamp.UnixMilli()) + frame.Extension(l.format)
		err = writeWhole(filepath.Join(l.out, entry.File), image.Content)
	}
	return entry, err
}

// seconds is an instant as the service writes it.
func seconds(t time.Time) json.Number {
	if t.IsZero() {
		return ""
	}
	text := fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond))
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}

// writeWhole writes a file, whole or not at all.
func writeWhole(path string, data []byte) error {
	temp := filepath.Join(filepath.Dir(path), "."+rand.Text())
	defer os.Remove(temp)
	err := os.WriteFile(temp, data, 0o666)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// mistaken reports whether only other flags, or another environment, can mend an
// error that came before anything was fetched.
func mistaken(err error) bool {
	if _, throttled := errors.AsType[*types.ClientLimitExceededException](err); throttled {
		return false
	}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok && response.Response != nil &&
		response.HTTPStatusCode() != 0 {
		return response.HTTPStatusCode()/100 == 4 && response.HTTPStatusCode() != http.StatusTooManyRequests
	}
	connection, ok := errors.AsType[*net.OpError](err)
	return ok && connection.Op == "dial"
}

// explain says what an error has to do with the flags.
func (l *imageListing) explain(err error) error {
	text := fault.In(err, l.names().of)
	if _, ok := errors.AsType[*types.InvalidArgumentException](err); ok && l.config.StartingToken != "" {
		text = strings.TrimSuffix(text, ".") + "; a token is valid for the arguments it was made with, and not for long: " +
			"leave " + l.tokenFlag() + " out to start again"
	}
	return errors.New(text)
}

func (l *imageListing) names() names {
	return names{
		"PaginationConfig.StartingToken": l.tokenFlag(),
		"AWS.Region":                     "--region", "AWS.Profile": "--profile", "AWS.EndpointURL": l.endpointFrom,
	}
}

func (l *imageListing) tokenFlag() string {
	if l.onePage {
		return "--next-token"
	}
	return "--starting-token"
}
