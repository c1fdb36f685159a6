# The image holds one static binary and the certificates of public authorities, nothing else: no shell, no libc.
#
#   docker build -t oauthcheck .
#   docker run --rm -p 127.0.0.1:8080:8080 oauthcheck                       # the mock provider
#   docker run --rm -v "$PWD:/w:ro" oauthcheck run --config /w/target.yaml  # the harness
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /oauthcheck ./cmd/oauthcheck

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /oauthcheck /oauthcheck
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=2s --retries=3 CMD ["/oauthcheck", "healthcheck", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["/oauthcheck"]
# In a container the loopback interface is nobody else's; who reaches the port is decided by how it is published.
CMD ["mock", "--addr", "0.0.0.0:8080", "--allow-remote", "--issuer-from", "host"]
