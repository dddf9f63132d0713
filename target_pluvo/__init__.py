"""Singer target for Pluvo: users, groups, trainings, certificates and more, written safely."""
