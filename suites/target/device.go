package target

import (
	"fmt"
	"net/http"
	"strconv"
)

// Device is the answer of the device authorization endpoint (RFC 8628 section 3.2).
type Device struct {
	DeviceCode, UserCode      string
	VerificationURI, Complete string
	Interval, ExpiresIn       int // seconds; the interval's default is 5
	Client                    *Client
	Response                  *Response
}

// DeviceAuthorization sends a device authorization request (RFC 8628 section 3.1).
func (as *AS) DeviceAuthorization(edits ...RequestEdit) *Response {
	f := as.run.flowOf(edits)
	client := f.client
	if client == nil {
		client = as.ClientFor(DeviceCode)
	}
	return as.Send(as.deviceRequest(client, f).Apply(edits...))
}

func (as *AS) deviceRequest(client *Client, f flow) *Request {
	r := as.NewRequest(http.MethodPost, as.Endpoint(DeviceAuthorizationEndpoint))
	r.grant = DeviceCode
	as.addScope(r, client, manner{}, f)
	r.authenticate(client, "")
	if !r.Has("client_id") {
		r.Params = append([]Param{{Name: "client_id", Value: client.ID}}, r.Params...)
	}
	return r
}

// Device is a fresh device code, else the check is inconclusive.
func (as *AS) Device(edits ...RequestEdit) *Device {
	return as.deviceOf(as.DeviceAuthorization(edits...))
}

func (as *AS) device(client *Client, f flow) *Device {
	return as.deviceOf(as.Send(as.deviceRequest(client, f)))
}

func (as *AS) deviceOf(resp *Response) *Device {
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(fmt.Sprint(resp.Member(name)))
		if err != nil {
			return otherwise
		}
		return n
	}
	d := &Device{
		DeviceCode: resp.String("device_code"), UserCode: resp.String("user_code"),
		VerificationURI: resp.String("verification_uri"), Complete: resp.String("verification_uri_complete"),
		Interval: number("interval", 5), ExpiresIn: number("expires_in", 0), Client: resp.Request.client, Response: resp,
	}
	if !resp.Success() || d.DeviceCode == "" {
		as.Inconclusive("no device code was issued: %s", resp.outcome())
	}
	return d
}

// userCodeFields are names that verification pages give the field for the user code.
var userCodeFields = []string{"user_code", "userCode", "usercode", "user-code", "code", "device_code", "otp"}

// Decide plays the resource owner at the verification page, in a browser of its own: enters the user code, signs in and
// approves, or with Deny() denies.
func (as *AS) Decide(d *Device, edits ...RequestEdit) *Authorization {
	f := as.run.flowOf(edits)
	if d.VerificationURI == "" {
		as.Inconclusive("the device authorization response has no verification_uri")
	}
	fields := map[string]string{}
	for _, name := range userCodeFields {
		fields[name] = d.UserCode
	}
	player, err := as.run.newPlayer(fields)
	if err != nil {
		as.Inconclusive("%v", err)
	}
	b := as.NewBrowser()
	b.player = player
	r := as.NewRequest(http.MethodGet, d.VerificationURI)
	r.Media = ""
	return b.walk(r.Apply(edits...), f)
}

// Poll sends a token request with the device code (RFC 8628 section 3.4).
func (as *AS) Poll(d *Device, edits ...RequestEdit) *Response {
	return as.Send(as.pollRequest(d).Apply(edits...))
}

func (as *AS) pollRequest(d *Device) *Request {
	r := as.tokenRequest(DeviceCode, d.Client, Param{Name: "device_code", Value: d.DeviceCode})
	if !r.Has("client_id") {
		r.Params = append(r.Params, Param{Name: "client_id", Value: d.Client.ID})
	}
	return r
}
