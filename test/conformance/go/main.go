// Reads and verifies what the relayer's signing authority issues with Go's crypto/x509, which is stricter than
// OpenSSL and what most SPIFFE software is built on.
//
// Usage: go run . <ca.crt> <svid.pem> <crl.pem> <time, RFC 3339>; prints one JSON object.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

type subjectAttribute struct {
	OID   string `json:"oid"`
	Value string `json:"value"`
}

type report struct {
	URIs        []string           `json:"uris"`
	DNSNames    []string           `json:"dnsNames"`
	IPs         []string           `json:"ips"`
	Subject     []subjectAttribute `json:"subject"`
	Serial      string             `json:"serial"`
	NotBefore   int64              `json:"notBefore"`
	NotAfter    int64              `json:"notAfter"`
	IsCA        bool               `json:"isCA"`
	KeyUsage    int                `json:"keyUsage"`
	P256        bool               `json:"p256"`
	Unhandled   int                `json:"unhandledCritical"`
	CAURIs      []string           `json:"caUris"`
	CAKeyUsage  int                `json:"caKeyUsage"`
	CRLNumber   string             `json:"crlNumber"`
	CRLSerials  []string           `json:"crlSerials"`
	CRLReasons  []int              `json:"crlReasons"`
	CRLNext     int64              `json:"crlNextUpdate"`
	HostRefused bool               `json:"hostRefused"`
}

func block(path, label string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found, rest := pem.Decode(text)
	if found == nil || found.Type != label || len(rest) != 0 {
		return nil, fmt.Errorf("%s is not one %s in PEM", path, label)
	}
	return found.Bytes, nil
}

func certificate(path string) (*x509.Certificate, error) {
	der, err := block(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func run(args []string) (*report, error) {
	if len(args) != 4 {
		return nil, errors.New("usage: go run . <ca.crt> <svid.pem> <crl.pem> <time, RFC 3339>")
	}
	authority, err := certificate(args[0])
	if err != nil {
		return nil, err
	}
	svid, err := certificate(args[1])
	if err != nil {
		return nil, err
	}
	der, err := block(args[2], "X509 CRL")
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339, args[3])
	if err != nil {
		return nil, err
	}

	roots := x509.NewCertPool()
	roots.AddCert(authority)
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		for _, host := range []string{"", "localhost", "127.0.0.1"} {
			_, err := svid.Verify(x509.VerifyOptions{
				Roots: roots, CurrentTime: at, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage},
			})
			if err != nil {
				return nil, fmt.Errorf("verify for usage %d and host %q: %w", usage, host, err)
			}
		}
	}
	_, hostErr := svid.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, DNSName: "example.com"})

	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	if err := crl.CheckSignatureFrom(authority); err != nil {
		return nil, fmt.Errorf("CRL: %w", err)
	}

	key, isEC := svid.PublicKey.(*ecdsa.PublicKey)
	found := &report{
		DNSNames: svid.DNSNames, Serial: svid.SerialNumber.Text(16),
		NotBefore: svid.NotBefore.UnixMilli(), NotAfter: svid.NotAfter.UnixMilli(),
		IsCA: svid.IsCA, KeyUsage: int(svid.KeyUsage), P256: isEC && key.Curve == elliptic.P256(),
		Unhandled: len(svid.UnhandledCriticalExtensions), CAKeyUsage: int(authority.KeyUsage),
		CRLNumber: crl.Number.String(), CRLNext: crl.NextUpdate.UnixMilli(), HostRefused: hostErr != nil,
	}
	for _, uri := range svid.URIs {
		found.URIs = append(found.URIs, uri.String())
	}
	for _, uri := range authority.URIs {
		found.CAURIs = append(found.CAURIs, uri.String())
	}
	for _, ip := range svid.IPAddresses {
		found.IPs = append(found.IPs, ip.String())
	}
	for _, name := range svid.Subject.Names {
		found.Subject = append(found.Subject, subjectAttribute{name.Type.String(), fmt.Sprint(name.Value)})
	}
	for _, entry := range crl.RevokedCertificateEntries {
		found.CRLSerials = append(found.CRLSerials, entry.SerialNumber.Text(16))
		found.CRLReasons = append(found.CRLReasons, entry.ReasonCode)
	}
	return found, nil
}

func main() {
	found, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
