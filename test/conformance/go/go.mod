module killswitch/conformance

go 1.21
