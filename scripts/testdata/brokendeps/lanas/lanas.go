package lanas

import _ "oneshot/supernet"

import _ "gonum.org/v1/gonum/stat/distuv"
