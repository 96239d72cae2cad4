package rng

import _ "flag"
