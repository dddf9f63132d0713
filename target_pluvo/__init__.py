"""Singer target for Pluvo: users, groups, trainings, enrollments and certificates, written safely."""
