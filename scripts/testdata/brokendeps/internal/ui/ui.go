package ui

import _ "oneshot/internal/rundir"
