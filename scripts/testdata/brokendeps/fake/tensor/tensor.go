package tensor
