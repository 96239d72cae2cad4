package cu
