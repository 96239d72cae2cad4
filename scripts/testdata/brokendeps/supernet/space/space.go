package space

import _ "golang.org/x/term"
