// Package expect lets checks be judged with httpexpect where a chain of assertions on one response reads better than
// matchers. It is a package of its own so that programs whose checks do without it stay small.
package expect

import (
	"bytes"
	"io"
	"net/http"

	"github.com/gavv/httpexpect/v2"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// Response judges a response with httpexpect; its failures end the body as Gomega's do.
func Response(as *target.AS, resp *target.Response) *httpexpect.Response {
	if resp.Err != nil {
		as.Inconclusive("there is no response to judge: %v", resp.Err)
	}
	raw := &http.Response{
		Status: http.StatusText(resp.Status), StatusCode: resp.Status, Proto: resp.Proto, ProtoMajor: 1, ProtoMinor: 1,
		Header: resp.Header.Clone(), Body: io.NopCloser(bytes.NewReader(resp.Body)), ContentLength: int64(len(resp.Body)),
	}
	return httpexpect.NewResponseC(httpexpect.Config{AssertionHandler: expectHandler{as}}, raw)
}

// expectHandler turns a failed assertion of httpexpect into a failed assertion of the check.
type expectHandler struct{ as *target.AS }

// Success implements httpexpect.AssertionHandler.
func (expectHandler) Success(*httpexpect.AssertionContext) {}

// Failure implements httpexpect.AssertionHandler.
func (h expectHandler) Failure(ctx *httpexpect.AssertionContext, failure *httpexpect.AssertionFailure) {
	if failure.Severity < httpexpect.SeverityError {
		return
	}
	formatter := &httpexpect.DefaultFormatter{DisableRequests: true, DisableResponses: true, ColorMode: httpexpect.ColorModeNever}
	h.as.Fail("%s", formatter.FormatFailure(ctx, failure))
}
