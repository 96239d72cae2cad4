package driver

import "C"
