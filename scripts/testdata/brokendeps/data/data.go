package data

import _ "gorgonia.org/tensor"
